/**
 * One run of the simulation: a server, some clients, and everything that can go wrong, all drawn from one seed. At the
 * end the faults stop, the clients hang up, and time passes until every session must have expired.
 */
import { OpCode } from '../../protocol/client/constants.js';
import { decodeBatch } from '../../protocol/peer/codec.js';
import { VirtualServer, VirtualWorld } from '../../src/testing/index.js';
import type { Expiry, Observation, Recovery } from './history.js';
import { digestText } from './replay.js';
import { SimClient } from './sim-client.js';

export interface Run {
  readonly seed: number;
  readonly world: VirtualWorld;
  readonly server: VirtualServer;
  readonly history: readonly Observation[];
  readonly expiries: readonly Expiry[];
  readonly recoveries: readonly Recovery[];
}

const TICK_MS = 100;
const ACTIVE_MS = 2500;
/** Longest timeout of a client, rounding to ticks, and a disk and a tick to notice. */
const SETTLE_MS = 1000 + 6 * TICK_MS;
const FAULT_MS_MAX = 500;

export function runSeed(seed: number): Run {
  const world = new VirtualWorld({ seed });
  const { random } = world;
  const server = new VirtualServer(world, {
    tickTimeMs: TICK_MS,
    checkpointEntries: 10 + random.int(60),
    epochEntriesMax: 20 + random.int(150),
    outstandingMax: 5 + random.int(30),
    containerCheckMs: 300,
  });
  const history: Observation[] = [];
  const witness = new Witness(server);
  let connections = 0;
  server.start();
  const clients: SimClient[] = [];
  for (let id = 0; id < 2 + random.int(3); id++) {
    clients.push(new SimClient(id, world, server, history, () => ++connections));
  }
  witness.clients = clients;
  const faults = new Faults(world, server);
  world.run(ACTIVE_MS);
  faults.stop();
  world.run(FAULT_MS_MAX + 200);
  for (const client of clients) client.stop();
  world.run(SETTLE_MS);
  return { seed, world, server, history, expiries: witness.expiries, recoveries: witness.recoveries };
}

/** Watches the server from inside, for what no client can see. */
class Witness {
  readonly expiries: Expiry[] = [];
  readonly recoveries: Recovery[] = [];
  clients: readonly SimClient[] = [];
  private readonly heardMs = new Map<number, number>();
  private servingMs = 0;

  constructor(server: VirtualServer) {
    server.witness = {
      heard: (session, nowMs) => this.heardMs.set(session, nowMs),
      recovered: ({ replica }) => {
        this.heardMs.clear();
        const seenZxid = Math.max(0, ...this.clients.map(({ client }) => client.lastZxidSeen));
        this.recoveries.push({ zxid: replica.appliedZxid, digest: digestText(replica.world), seenZxid });
      },
      effect: (effect, nowMs) => {
        // Later epochs of the same leader change nothing for the sessions.
        if (effect.type === 'serving' && this.heardMs.size === 0) this.servingMs = nowMs;
        if (effect.type !== 'append') return;
        const { operations, sessions, cxids } = decodeBatch(effect.bytes);
        operations.forEach((operation, i) => {
          if (operation === OpCode.createSession) this.heardMs.set(sessions[i], nowMs);
          if (operation !== OpCode.closeSession || cxids[i] !== 0) return;
          const timeoutMs = server.replica.world.sessions.get(sessions[i])?.timeoutMs ?? 0;
          const silentMs = nowMs - (this.heardMs.get(sessions[i]) ?? this.servingMs);
          this.expiries.push({ session: sessions[i], timeoutMs, silentMs });
        });
      },
    };
  }
}

/** Something goes wrong every now and then, until it is told to stop; then everything is put right. */
class Faults {
  private isOver = false;

  constructor(
    private readonly world: VirtualWorld,
    private readonly server: VirtualServer,
  ) {
    this.later();
  }

  stop(): void {
    this.isOver = true;
    this.server.disk.isFull = false;
    this.server.isFrozen = false;
    if (!this.server.isUp) this.server.start();
  }

  private later(): void {
    this.world.after(this.world.delayUpTo(FAULT_MS_MAX), () => {
      if (this.isOver) return;
      this.strike();
      this.later();
    });
  }

  private strike(): void {
    const { world, server } = this;
    const { random } = world;
    if (!server.isUp) this.startAgain();
    else
      switch (random.int(5)) {
        case 0:
        case 1:
          server.crash();
          this.startAgain();
          break;
        case 2:
          server.disk.isFull = true;
          world.after(world.delayUpTo(FAULT_MS_MAX / 2), () => {
            server.disk.isFull = false;
          });
          break;
        case 3:
          world.jumpWallClock((random.bool() ? 1 : -1) * random.int(3_600_000));
          break;
        case 4:
          server.isFrozen = true;
          world.after(world.delayUpTo(FAULT_MS_MAX / 2), () => {
            server.isFrozen = false;
          });
          break;
      }
  }

  private startAgain(): void {
    this.world.after(this.world.delayUpTo(100), () => {
      this.server.disk.isFull = false;
      if (!this.server.isUp) this.server.start();
    });
  }
}
