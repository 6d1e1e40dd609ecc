/**
 * The stage of a recipe's run: an ensemble, processes that use the recipe through the SDK, and all that can go wrong with
 * either, drawn from one seed. Everything waits in virtual time, so a run of half a minute takes a few milliseconds, and
 * the same seed gives the same run.
 *
 * An actor is a process with a script. When its process is killed another one takes its part, with a client of its own,
 * as an operator would have it. When the troubles are over all is put right, the actors go on for a while, then they are
 * told to end what they are doing, and what they leave behind is looked at.
 */
import type { Client } from '../../../src/client/index.js';
import { ZooKeeperError } from '../../../src/client/index.js';
import { LeaseEndedError } from '../../../src/recipes/index.js';
import { orNull } from '../../../src/recipes/waiting.js';
import type { Random } from '../../../src/std/random.js';
import { VirtualEnsemble, VirtualProcess, VirtualWorld } from '../../../src/testing/index.js';
import { Violation } from '../checkers/check.js';
import { Faults } from '../faults.js';
import type { Story } from '../story.js';
import { Troubles } from './troubles.js';

export interface PlayOptions {
  /** How long things go wrong, in virtual ms. Default 8000. */
  readonly troubleMs?: number | undefined;
  /** Hears of everything that happens. */
  readonly story?: Story | undefined;
}

/** What is looked at when all is well again: `client` is fresh. */
export type Finale = (client: Client) => Promise<void>;

/** A recipe under simulation. */
export interface Recipe {
  readonly name: string;
  /** Sets the actors going. */
  begin(play: Play): Finale;
}

/** A process while it lives. */
export interface Life {
  readonly name: string;
  readonly client: Client;
  readonly process: VirtualProcess;
  readonly random: Random;
  /** Sessions that were ended behind the client's back: no clock could tell it. */
  readonly betrayed: Set<bigint>;
  /** The actor is to come to an end. */
  readonly isOver: boolean;
  /** Aborts when the actor is to come to an end. */
  readonly ending: AbortSignal;
  /** For a random time. */
  sleep(upToMs: number): Promise<void>;
  /** For this time. */
  wait(ms: number): Promise<void>;
  say(what: string): void;
}

/** When writers have come to their end, and what they wrote has had the time to arrive. */
export const ARRIVAL_MS = 3000;
const TROUBLE_MS = 8000;
/** Actors go on for this long when all is well again. */
const CALM_MS = 6000;
/** Longest session timeout, and some ticks. */
const SILENCE_MS = 2500;
/** What has not ended by then hangs. */
const ENDING_MS_MAX = 60_000;
const WHOLE_MS_MAX = 15_000;
const TIMEOUTS_MS = [600, 1000, 1000, 2000];

export class Actor {
  life: Life | null = null;
  /** The script has come to its end. */
  isDone = false;

  constructor(
    private readonly play: Play,
    readonly name: string,
    private readonly script: (life: Life) => Promise<void>,
  ) {
    this.begin();
  }

  begin(): void {
    const { play } = this;
    const process = new VirtualProcess(play.world, play.ensemble.servers);
    const client = process.createClient({
      sessionTimeoutMs: play.random.pick(TIMEOUTS_MS),
      requestTimeoutMs: play.random.pick([500, 30_000]),
    });
    const life: Life = {
      name: this.name,
      client,
      process,
      random: play.random.fork(),
      betrayed: new Set(),
      get isOver() {
        return play.isOver;
      },
      ending: play.ending,
      sleep: (upToMs) => life.wait(play.world.delayUpTo(upToMs)),
      wait: (ms) => new Promise((resolve) => client.clock.after(ms, resolve)),
      say: (what) => play.say(this.name, what),
    };
    this.life = life;
    process.run('timer', () => {
      this.script(life)
        .catch((error: unknown) => play.failed(this.name, error))
        .then(() => client.close())
        .then(() => {
          if (this.life === life) this.isDone = true;
        });
    });
  }
}

export class Play {
  readonly world: VirtualWorld;
  readonly ensemble: VirtualEnsemble;
  readonly random: Random;
  readonly actors: Actor[] = [];
  /** How often things happened. */
  readonly counts = new Map<string, number>();
  isOver = false;
  /** Nothing goes wrong from then on, and sessions of the dead have expired. */
  calmFromMs = Number.POSITIVE_INFINITY;
  readonly #ending = new AbortController();
  private readonly tell: (who: string, what: string) => void;
  private violation: unknown;

  constructor(
    seed: number,
    readonly options: PlayOptions = {},
  ) {
    const random = new VirtualWorld({ seed }).random;
    this.world = new VirtualWorld({ seed: random.uint32(), networkDelayMsMax: random.pick([1, 2, 10]) });
    this.random = this.world.random.fork();
    this.ensemble = new VirtualEnsemble(this.world, {
      voters: random.pick([1, 3, 3, 3]),
      options: { containerCheckMs: 300, checkpointEntries: 50 },
      ensemble: { initLimitMs: 600, syncLimitMs: 400 },
    });
    this.tell = options.story?.teller(this.world) ?? (() => {});
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  say(who: string, what: string): void {
    this.tell(who, what);
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  actor(name: string, script: (life: Life) => Promise<void>): void {
    this.actors.push(new Actor(this, name, script));
  }

  check(holds: boolean, rule: string, details: () => unknown): void {
    if (!holds) this.failed('check', new Violation(rule, details()));
  }

  /** What ends with sessions has ended; sessions whose end was not said have time to expire. */
  async checkEmpty(client: Client, directory: string, rule: string): Promise<void> {
    const untilMs = this.world.nowMs + SILENCE_MS;
    let left = (await orNull(client.children(directory))) ?? [];
    while (left.length > 0 && this.world.nowMs < untilMs) {
      await new Promise<void>((resolve) => client.clock.after(100, resolve));
      left = (await orNull(client.children(directory))) ?? [];
    }
    this.check(left.length === 0, rule, () => ({ directory, left }));
  }

  /** The first thing that is not as it must be counts. */
  failed(who: string, error: unknown): void {
    this.say(who, `FAILS: ${error}`);
    this.violation ??= error;
  }

  /** Runs a recipe to its end. Throws a Violation, or what an actor could not bear. */
  async run(recipe: Recipe): Promise<void> {
    const { ensemble, world } = this;
    ensemble.start();
    const finale = recipe.begin(this);
    const faults = new Faults(
      ensemble,
      this.watchServers(),
      this.random.pick([500, 1500, 4000]),
      this.options.story ? this.tell : null,
    );
    const troubles = new Troubles(this);
    await this.pass(this.options.troubleMs ?? TROUBLE_MS);
    faults.stop();
    troubles.stop();
    await world.passUntil(() => ensemble.isWhole, 'all servers together', WHOLE_MS_MAX);
    this.calmFromMs = world.nowMs + SILENCE_MS;
    await this.pass(CALM_MS);
    this.isOver = true;
    this.say('world', 'everybody comes to an end');
    this.#ending.abort(new Error('the play is over'));
    const isDone = () => this.violation !== undefined || this.actors.every((actor) => actor.isDone);
    const untilMs = world.nowMs + ENDING_MS_MAX;
    while (!isDone() && world.nowMs < untilMs) await world.pass(100);
    this.check(isDone(), 'whoever is to end ends', () =>
      this.actors.filter((one) => !one.isDone).map(({ name }) => name),
    );
    if (this.violation === undefined) await this.lookAt(finale);
    if (this.violation !== undefined) throw this.violation;
  }

  private async lookAt(finale: Finale): Promise<void> {
    const client = new VirtualProcess(this.world, this.ensemble.servers).createClient();
    let isOver = false;
    const looking = client
      .sync()
      .then(() => finale(client))
      .catch((error: unknown) => this.failed('finale', error))
      .then(() => client.close())
      .then(() => {
        isOver = true;
      });
    await this.world.passUntil(() => isOver, 'the finale', ENDING_MS_MAX);
    await looking;
  }

  /** Lets time pass, until something is found to be wrong. */
  private async pass(durationMs: number): Promise<void> {
    const untilMs = this.world.nowMs + durationMs;
    while (this.world.nowMs < untilMs && this.violation === undefined) {
      await this.world.pass(Math.min(100, untilMs - this.world.nowMs));
    }
  }

  /** As faults.ts wants it: it may crash a server between two effects. */
  private watchServers(): Pick<Faults['observer'], 'crashes' | 'count'> {
    const observer: Pick<Faults['observer'], 'crashes' | 'count'> = {
      crashes: () => false,
      count: (what) => this.count(what),
    };
    for (const server of this.ensemble.servers) {
      server.witness = { effect: (effect) => observer.crashes(effect, server) };
    }
    return observer;
  }
}

/** The process runs, and nobody has ended the session behind its back: what it believes of the session has to be right. */
export function isSound({ process, betrayed }: Life, sessionId: bigint): boolean {
  return !process.isKilled && !process.isFrozen && !betrayed.has(sessionId);
}

/** Does something that may fail for the troubles; undefined when it has. */
export async function attempt<T>(life: Life, what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isExpected(error)) throw new Error(`${what}: ${error}`, { cause: error });
    life.say(`${what}: ${(error as Error).message}`);
    return undefined;
  }
}

/** What a user of a recipe has to expect while servers and connections come and go. */
export function isExpected(error: unknown): boolean {
  if (error instanceof LeaseEndedError) return true;
  if (error instanceof Error && error.name === 'SuppressedError') {
    const { error: last, suppressed } = error as Error & { error?: unknown; suppressed?: unknown };
    return isExpected(last) && isExpected(suppressed);
  }
  if (ZooKeeperError.is(error)) return EXPECTED.has(error.name);
  const { name, message } = error as Error; // a DOMException, perhaps, which is no Error of this realm in jest
  return name === 'TimeoutError' || message === 'the play is over';
}

const EXPECTED: ReadonlySet<string> = new Set([
  'ConnectionLoss',
  'SessionExpired',
  'RequestTimeout',
  'ThrottledOp',
  'SystemError',
]);
