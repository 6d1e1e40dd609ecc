/**
 * Everything that can go wrong with an ensemble, one thing after another, drawn from the seed; until it is told to
 * stop, and then everything is put right.
 *
 * A disk is lost (damaged and set aside) only while no other server is without its data: with more than that, no quorum
 * may be left that knows what was acknowledged, and an ensemble that then stands still is right.
 */
import type { Random } from '../../src/std/random.js';
import type { VirtualEnsemble, VirtualServer } from '../../src/testing/index.js';
import type { Observer, Tell } from './observer.js';

const DOWN_MS_MAX = 400;
const AWAY_MS_MAX = 1200;
const SLOW_DISK_MS = 60;
const SLOW_LINK_MS = 150;
const WALL_JUMP_MS_MAX = 3_600_000;
/** Effects that a server still carries out before it crashes between two of them. */
const EFFECTS_MAX = 40;

type Fault = (faults: Faults) => void;

export class Faults {
  private isOver = false;
  private readonly random: Random;
  /** Effects that are left to servers that are to crash at one. */
  private readonly effectsLeft = new Map<number, number>();

  constructor(
    private readonly ensemble: VirtualEnsemble,
    readonly observer: Pick<Observer, 'crashes' | 'count'>,
    /** Longest time from one fault to the next. */
    private readonly faultMsMax: number,
    private readonly tell: Tell | null,
  ) {
    this.random = ensemble.world.random.fork();
    observer.crashes = (effect, server) =>
      effect.type !== 'flush' && effect.type !== 'note' && this.isLastEffect(server);
    this.later();
  }

  /** Nothing more goes wrong, and what is wrong is put right. */
  stop(): void {
    this.isOver = true;
    this.effectsLeft.clear();
    const { ensemble } = this;
    ensemble.network.heal();
    for (const a of ensemble.servers) {
      this.repair(a);
      for (const b of ensemble.servers) if (a.id < b.id) ensemble.network.setDelay(a.id, b.id, null);
    }
    ensemble.start();
    this.tell?.('world', 'nothing goes wrong any more');
  }

  private repair(server: VirtualServer): void {
    server.disk.isFull = false;
    server.disk.delayMsMax = this.ensemble.world.diskDelayMsMax;
    server.isFrozen = false;
  }

  private later(): void {
    const { world } = this.ensemble;
    world.after(world.delayUpTo(this.faultMsMax), () => {
      if (this.isOver) return;
      const names = Object.keys(FAULTS);
      const isAlone = this.ensemble.servers.length === 1;
      const name = this.random.pick(names.filter((one) => !isAlone || !NEED_OTHERS.has(one)));
      this.observer.count(`fault ${name}`);
      FAULTS[name](this);
      this.later();
    });
  }

  private isLastEffect(server: VirtualServer): boolean {
    const left = this.effectsLeft.get(server.id);
    if (left === undefined) return false;
    this.effectsLeft.set(server.id, left - 1);
    if (left > 0) return false;
    this.effectsLeft.delete(server.id);
    this.say(`s${server.id} crashes between two effects`);
    this.startLater(server, DOWN_MS_MAX);
    return true;
  }

  private say(what: string): void {
    this.tell?.('world', what);
  }

  /** After a while, unless it is over by then. */
  private afterUpTo(msMax: number, action: () => void): void {
    const { world } = this.ensemble;
    world.after(world.delayUpTo(msMax), () => {
      if (!this.isOver) action();
    });
  }

  private startLater(server: VirtualServer, msMax: number): void {
    this.afterUpTo(msMax, () => {
      this.repair(server);
      if (!server.isUp) server.start();
    });
  }

  private any(): VirtualServer {
    return this.random.pick(this.ensemble.servers);
  }

  /** The leader as likely as all others together. */
  private anyOrLeader(): VirtualServer {
    return (this.random.bool() ? this.ensemble.leader() : null) ?? this.any();
  }

  crash(): void {
    const server = this.anyOrLeader();
    this.say(`s${server.id} is killed`);
    server.crash();
    this.startLater(server, DOWN_MS_MAX);
  }

  crashBetweenEffects(): void {
    this.effectsLeft.set(this.anyOrLeader().id, this.random.int(EFFECTS_MAX));
  }

  crashAll(): void {
    this.say('the power fails');
    this.ensemble.crashAll();
    for (const server of this.ensemble.servers) this.startLater(server, DOWN_MS_MAX / 2);
  }

  freeze(): void {
    const server = this.anyOrLeader();
    if (!server.isUp) return;
    this.say(`s${server.id} is frozen`);
    server.isFrozen = true;
    this.afterUpTo(AWAY_MS_MAX, () => {
      this.say(`s${server.id} goes on`);
      server.isFrozen = false;
    });
  }

  fillDisk(): void {
    const server = this.anyOrLeader();
    this.say(`the disk of s${server.id} is full`);
    server.disk.isFull = true;
    this.afterUpTo(DOWN_MS_MAX, () => {
      server.disk.isFull = false;
    });
  }

  slowDisk(): void {
    const server = this.anyOrLeader();
    this.say(`the disk of s${server.id} is slow`);
    server.disk.delayMsMax = SLOW_DISK_MS;
    this.afterUpTo(AWAY_MS_MAX, () => {
      server.disk.delayMsMax = this.ensemble.world.diskDelayMsMax;
    });
  }

  loseDisk(): void {
    const { servers } = this.ensemble;
    if (!servers.every(({ disk }) => disk.isVoting)) return;
    const server = this.any();
    this.say(`s${server.id} is killed, and its data is damaged`);
    server.crash();
    server.disk.lose();
    this.startLater(server, DOWN_MS_MAX);
  }

  jumpWallClock(): void {
    const byMs = (this.random.bool() ? 1 : -1) * this.random.int(WALL_JUMP_MS_MAX);
    if (this.random.bool()) {
      this.say(`the wall clocks jump by ${byMs} ms`);
      this.ensemble.world.jumpWallClock(byMs);
    } else {
      const server = this.anyOrLeader();
      this.say(`the wall clock of s${server.id} jumps by ${byMs} ms`);
      server.wallSkewMs += byMs;
    }
  }

  isolate(): void {
    const { id } = this.anyOrLeader();
    this.say(`s${id} is cut off`);
    this.ensemble.network.isolate(id);
    this.healLater();
  }

  partition(): void {
    const ids = this.shuffledIds();
    const cut = 1 + this.random.int(ids.length - 1);
    this.split(ids.slice(0, cut), ids.slice(cut));
  }

  /** Two groups that share one server. */
  bridge(): void {
    const ids = this.shuffledIds();
    const middle = this.random.int(ids.length);
    this.split(ids.slice(0, middle + 1), ids.slice(middle));
  }

  private shuffledIds(): number[] {
    return this.random.shuffle(this.ensemble.servers.map(({ id }) => id));
  }

  private split(...groups: readonly (readonly number[])[]): void {
    this.say(`the network falls apart: ${groups.map((ids) => ids.join('+')).join(' | ')}`);
    this.ensemble.network.partition(...groups);
    this.healLater();
  }

  cutOneWay(): void {
    const [from, to] = this.pair();
    this.say(`nothing gets from s${from} to s${to}`);
    this.ensemble.network.cutOneWay(from, to);
    this.healLater();
  }

  private healLater(): void {
    this.afterUpTo(AWAY_MS_MAX, () => {
      this.say('the network is whole again');
      this.ensemble.network.heal();
    });
  }

  resetLink(): void {
    const [from, to] = this.pair();
    this.say(`the link between s${from} and s${to} breaks`);
    this.ensemble.network.resetLink(from, to);
  }

  slowLink(): void {
    const [a, b] = this.pair();
    this.say(`the link between s${a} and s${b} is slow`);
    this.ensemble.network.setDelay(a, b, SLOW_LINK_MS);
    this.afterUpTo(AWAY_MS_MAX, () => this.ensemble.network.setDelay(a, b, null));
  }

  private pair(): [number, number] {
    const [a, b] = this.shuffledIds();
    return [a, b];
  }
}

const FAULTS: Readonly<Record<string, Fault>> = {
  crash: (faults) => faults.crash(),
  'crash between effects': (faults) => faults.crashBetweenEffects(),
  'crash all': (faults) => faults.crashAll(),
  freeze: (faults) => faults.freeze(),
  'full disk': (faults) => faults.fillDisk(),
  'slow disk': (faults) => faults.slowDisk(),
  'lost disk': (faults) => faults.loseDisk(),
  'wall clock': (faults) => faults.jumpWallClock(),
  isolate: (faults) => faults.isolate(),
  partition: (faults) => faults.partition(),
  bridge: (faults) => faults.bridge(),
  'one way': (faults) => faults.cutOneWay(),
  'link reset': (faults) => faults.resetLink(),
  'slow link': (faults) => faults.slowLink(),
};

/** What makes no sense for a server on its own. */
const NEED_OTHERS: ReadonlySet<string> = new Set([
  'lost disk',
  'isolate',
  'partition',
  'bridge',
  'one way',
  'link reset',
  'slow link',
]);

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS);
