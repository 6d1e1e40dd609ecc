/**
 * What goes wrong with the processes of a play: connections break, the network lets nothing through, a process stands
 * still, its session is ended behind its back, it dies and another one takes its place. Until it is told to stop; then
 * everything is put right.
 */
import { VirtualClient } from '../../../src/testing/index.js';
import type { Actor, Life, Play } from './play.js';

const AWAY_MS_MAX = 2500;
const DOWN_MS_MAX = 1000;

type Trouble = (troubles: Troubles, actor: Actor, life: Life) => void;

export class Troubles {
  private isOver = false;

  constructor(private readonly play: Play) {
    const troubleMsMax = play.random.pick([200, 600, 2000]);
    this.later(troubleMsMax);
  }

  stop(): void {
    this.isOver = true;
    this.play.say('world', 'nothing goes wrong any more');
    for (const actor of this.play.actors) {
      actor.life?.process.unblock();
      actor.life?.process.thaw();
      if (actor.life === null) actor.begin();
    }
  }

  private later(msMax: number): void {
    const { world, random, actors } = this.play;
    world.after(world.delayUpTo(msMax), () => {
      if (this.isOver) return;
      const actor = random.pick(actors);
      const name = random.pick(NAMES);
      if (actor.life !== null && !actor.isDone) {
        this.play.say(actor.name, `trouble: ${name}`);
        this.play.count(`trouble ${name}`);
        TROUBLES[name](this, actor, actor.life);
      }
      this.later(msMax);
    });
  }

  private afterUpTo(msMax: number, action: () => void): void {
    const { world } = this.play;
    world.after(world.delayUpTo(msMax), () => {
      if (!this.isOver) action();
    });
  }

  block({ process }: Life): void {
    const { random, ensemble } = this.play;
    const ids = ensemble.servers.map(({ id }) => id).filter(() => random.bool(0.7));
    process.block(ids);
    this.afterUpTo(AWAY_MS_MAX, () => process.unblock());
  }

  freeze({ process }: Life): void {
    process.freeze();
    this.afterUpTo(AWAY_MS_MAX, () => process.thaw());
  }

  /** Somebody who knows the session's password ends it. */
  expire({ client, betrayed }: Life): void {
    const { id, password, timeoutMs } = client.session;
    const server = this.play.random.pick(this.play.ensemble.servers);
    if (id === 0n || !server.isUp) return;
    betrayed.add(id);
    const other = new VirtualClient(this.play.world);
    other.onReceived = ({ kind }) => {
      if (kind === 'connect') other.send('closeSession', undefined);
    };
    other.connect(server, { sessionId: id, password, timeoutMs });
  }

  kill(actor: Actor, life: Life): void {
    life.process.kill();
    actor.life = null;
    this.afterUpTo(DOWN_MS_MAX, () => actor.begin());
  }
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'cut connection': (_troubles, _actor, life) => life.process.cut(),
  'cut connection again': (_troubles, _actor, life) => life.process.cut(),
  'blocked network': (troubles, _actor, life) => troubles.block(life),
  freeze: (troubles, _actor, life) => troubles.freeze(life),
  'expired session': (troubles, _actor, life) => troubles.expire(life),
  kill: (troubles, actor, life) => troubles.kill(actor, life),
};
const NAMES = Object.keys(TROUBLES);
