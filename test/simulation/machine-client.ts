/**
 * A client of the simulation that is the SDK's: its session machine with its driver, as a process of users has it, on
 * virtual connections and virtual time. It asks for the same things as the other kind of client (sim-client.ts), and
 * everything else it does by itself: pings, reconnects to another server, brings its watches along, gives requests up,
 * counts its session as lost. Its process may stand still for a while, or lose its connection.
 *
 * What goes over the wire is written down by a tap, for the checkers of all clients; what the client tells its user is
 * written down here, for checkers/sdk.ts.
 */
import { Code } from '../../protocol/client/errors.js';
import { operations } from '../../protocol/client/operations.js';
import { Call } from '../../src/client/call.js';
import { SessionDriver } from '../../src/client/driver.js';
import type { ZooKeeperError } from '../../src/client/errors.js';
import { resolveOptions } from '../../src/client/options.js';
import type { WatchKind } from '../../src/client/watches.js';
import type { Random } from '../../src/std/random.js';
import { VirtualProcess, type VirtualServer, type VirtualWorld } from '../../src/testing/index.js';
import type { Observation } from './history.js';
import { type AnyRequest, RequestSource } from './request-source.js';
import type { Actor } from './sim-client.js';
import { WireTap } from './wire-tap.js';

const OUTSTANDING_MAX = 12;
const ACT_MS_MAX = 40;
const FREEZE_MS_MAX = 1600;
const GIVE_UP_MS_MAX = 400;
const TIMEOUT_MS_MAX = 1000;

/** A one-shot watch that the client has told its user is set. */
export interface WatchPromise {
  readonly client: number;
  readonly path: string;
  readonly kind: WatchKind;
  /** What the client had seen when it was set. */
  readonly setZxid: number;
  fired: number;
  /** What the client had seen in the end, or when its session was closed. */
  seenZxid: number;
}

/** What clients of the SDK have told their users. */
export interface SdkFacts {
  readonly watches: WatchPromise[];
  /** By session: until when, by the client's word, no server can have expired it. */
  readonly safeUntilMs: Map<number, number>;
}

export function emptySdkFacts(): SdkFacts {
  return { watches: [], safeUntilMs: new Map() };
}

export class MachineClient implements Actor {
  private readonly random: Random;
  private readonly source: RequestSource;
  private readonly process: VirtualProcess;
  private driver: SessionDriver;
  private isOver = false;
  private outstanding = 0;
  private watches: WatchPromise[] = [];

  constructor(
    private readonly id: number,
    private readonly world: VirtualWorld,
    private readonly servers: readonly VirtualServer[],
    observe: (observation: Observation) => void,
    nextConnection: () => number,
    private readonly facts: SdkFacts,
  ) {
    this.random = world.random.fork();
    this.source = new RequestSource(this.random);
    this.process = new VirtualProcess(world, servers);
    this.process.tap = new WireTap(id, world, observe, nextConnection);
    this.driver = this.createDriver();
    this.actLater();
  }

  rest(): void {
    this.isOver = true;
    if (this.process.isFrozen) this.process.thaw();
  }

  get unanswered(): number {
    return this.outstanding;
  }

  hangUp(): void {
    this.settleWatches();
    this.driver.close(0, true);
  }

  private createDriver(): SessionDriver {
    const { process, random, shortestTimeoutMs } = this;
    const options = resolveOptions(process.connectString, {
      sessionTimeoutMs: Math.max(TIMEOUT_MS_MAX - 100 * random.int(8), shortestTimeoutMs),
      seed: random.uint32(),
    });
    const events = { toClientPath: (path: string) => path, stateChanged: () => {} };
    const driver = new SessionDriver(options, process, events).start();
    if (random.bool()) driver.guardSession(); // as for a lock that is held
    return driver;
  }

  /** A client gives each server its share of the timeout (E15): long enough to open a session over this network. */
  private get shortestTimeoutMs(): number {
    return Math.min(TIMEOUT_MS_MAX, this.servers.length * 7 * this.world.networkDelayMsMax);
  }

  private actLater(): void {
    this.world.after(this.world.delayUpTo(ACT_MS_MAX), () => {
      if (this.isOver) return;
      this.process.run('timer', () => this.act());
      if (!this.process.isFrozen) this.actLater();
    });
  }

  private act(): void {
    const { random, process } = this;
    this.noteSafety();
    if (random.bool(0.015)) process.cut();
    if (random.bool(0.01)) {
      process.freeze();
      this.world.after(this.world.delayUpTo(FREEZE_MS_MAX), () => {
        if (this.isOver) return;
        process.thaw();
        this.actLater();
      });
      return;
    }
    if (this.outstanding > OUTSTANDING_MAX) return;
    for (const request of this.source.batch()) {
      if (request.operation === 'closeSession') this.renew();
      else if (request.operation !== 'ping') this.ask(request);
    }
  }

  /** Ends the session, as a user does who is done, and begins with another client. */
  private renew(): void {
    this.settleWatches();
    this.driver.close(GIVE_UP_MS_MAX, false);
    this.driver = this.createDriver();
  }

  private ask({ operation, request }: AnyRequest): void {
    const { driver, random } = this;
    const { path = null, watch } = (request ?? {}) as { path?: string; watch?: boolean };
    const kind = watch === true ? KINDS[operation] : undefined;
    const promise = (of: WatchKind): WatchPromise => ({
      client: this.id,
      path: path ?? '',
      kind: of,
      setZxid: Number(driver.lastZxid),
      fired: 0,
      seenZxid: Number.POSITIVE_INFINITY,
    });
    let kept: WatchPromise | undefined;
    const keep = (of: WatchKind) => {
      if (driver !== this.driver) return;
      kept = promise(of);
      this.watches.push(kept);
      this.facts.watches.push(kept);
    };
    const details = {
      method: operation,
      path,
      deadlineMs: random.bool(0.1) ? this.world.nowMs + random.int(GIVE_UP_MS_MAX) : Number.POSITIVE_INFINITY,
      watch:
        kind === undefined || path === null ? undefined : { kind, path, watcher: () => void (kept && kept.fired++) },
    };
    this.outstanding++;
    driver.submit(
      new Call(
        operations[operation] as never,
        request,
        details,
        (response: unknown) => response,
        (response) => {
          this.outstanding--;
          if (kind !== undefined) keep(kind === 'exist' ? 'data' : kind);
          const { stat } = (response ?? {}) as { stat?: { version: number } };
          if (operation === 'getData' && path !== null && stat !== undefined)
            this.source.versions.set(path, stat.version);
        },
        (error) => {
          this.outstanding--;
          if (kind === 'exist' && (error as ZooKeeperError).code === Code.NoNode) keep('exist');
        },
      ),
    );
  }

  private noteSafety(): void {
    const { driver } = this;
    const session = Number(driver.session.id);
    const { safeUntilMs } = this.facts;
    if (session !== 0) safeUntilMs.set(session, Math.max(driver.sessionSafeUntilMs, safeUntilMs.get(session) ?? 0));
  }

  /** From now on nobody listens to them. */
  private settleWatches(): void {
    this.noteSafety();
    for (const watch of this.watches) watch.seenZxid = Number(this.driver.lastZxid);
    this.watches = [];
  }
}

const KINDS: Readonly<Partial<Record<string, WatchKind>>> = { getData: 'data', exists: 'exist', getChildren2: 'child' };
