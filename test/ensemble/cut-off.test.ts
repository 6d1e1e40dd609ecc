/**
 * A leader that is alive and alone: stopped for longer than its followers wait, cut off, or with links that swallow
 * everything. The others elect a new one; the old one acknowledges nothing in the meantime, and joins them again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { connect } from '../../src/client/index.js';
import { connectVia, Ensemble, expectRefused, type Member } from '../helpers/ensemble.js';
import { createBody, dataOf, FrameClient, Op, readBody, requestFrame } from '../helpers/frame-client.js';
import { Load } from '../helpers/load.js';
import { JuteWriter } from '../interop/wire/jute.js';

jest.setTimeout(60_000);

const SYNC = 9;
const WRITE_XID = 1001;
const READ_XID = 1003;
const SESSION_MS = 4000;
/** Longer than that, and than the others wait for their leader (syncLimit, 2 s). */
const STOPPED_MS = 5500;

let ensemble: Ensemble;
let leader: Member;
let others: Member[];
beforeAll(async () => {
  ensemble = await Ensemble.start({ cuttable: true });
});
beforeEach(async () => {
  leader = await ensemble.serving();
  others = ensemble.others(leader);
});
afterAll(() => ensemble?.[Symbol.asyncDispose]());

/** Clients that only the old leader knows, and that wait for what it has to say. */
class Forlorn {
  private constructor(
    private readonly path: string,
    private readonly writer: FrameClient,
    private readonly reader: FrameClient,
  ) {}

  static async create(path: string): Promise<Forlorn> {
    const { port } = leader.server;
    const writer = await FrameClient.session(port, { timeoutMs: 30_000 });
    expect((await writer.call(Op.create, createBody(path, Buffer.from('old')))).err).toBe(0);
    return new Forlorn(path, writer, await FrameClient.session(port, { timeoutMs: 30_000 }));
  }

  /** One asks for a write, the other for a sync and a read. */
  ask(): void {
    this.writer.send(requestFrame(WRITE_XID, Op.create, createBody(`${this.path}/never`)));
    this.askToRead();
  }

  askToRead(): void {
    const sync = requestFrame(READ_XID - 1, SYNC, new JuteWriter().string('/').bytes());
    this.reader.send(Buffer.concat([sync, requestFrame(READ_XID, Op.getData, readBody(this.path))]));
  }

  /** They are hung up on, or answered when the old leader has joined the others: with what is true there. */
  async expectNothingStale(): Promise<void> {
    for (const client of [this.writer, this.reader]) {
      for (;;) {
        const reply = await client.nextReply();
        if (reply === 'closed') break;
        if (reply.xid === WRITE_XID) expect(reply.err).not.toBe(0);
        if (reply.xid === READ_XID) expect(Buffer.from(dataOf(reply) ?? []).toString()).toBe('new');
      }
    }
  }
}

test('a stopped leader: sessions move, and what it acknowledges when it goes on is not stale', async () => {
  await using load = await Load.start(ensemble, '/stopped');
  const mover = await connectVia(ensemble, leader, { sessionTimeoutMs: SESSION_MS });
  const states: string[] = [];
  mover.onState(({ state }) => states.push(state));
  await mover.create('/mover', 'x', { ephemeral: true });
  const alone = await Forlorn.create('/stale-read');

  leader.pause();
  const pausedMs = Date.now();
  alone.ask();
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/stale-read', 'new');
  await load.progress();
  await sleep(pausedMs + STOPPED_MS - Date.now());
  expect(await writer.exists('/mover')).toMatchObject({ ephemeralOwner: mover.session.id });
  leader.resume();

  await alone.expectNothingStale();
  await ensemble.serving();
  expect(await next.mode()).toBe('leader');
  expect(await writer.exists('/stale-read/never')).toBeNull();
  expect(states).toContain('RECONNECTED');
  expect(states).not.toContain('LOST');
  await load.progress();
  await load.check();
  await mover.close();
});

test('a leader that was stopped while nobody wrote does not answer a sync by what it remembers', async () => {
  const alone = await Forlorn.create('/remembered');
  leader.pause();
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/remembered', 'new');
  alone.askToRead();
  leader.resume();
  await alone.expectNothingStale();
  await ensemble.serving();
});

test('a leader that is cut off from both others serves nobody, and joins them when the links are back', async () => {
  await using load = await Load.start(ensemble, '/cut');
  const alone = await Forlorn.create('/cut-read');
  await load.progress();
  ensemble.isolate(leader);
  alone.ask();
  await ensemble.notServing([leader]);
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/cut-read', 'new');
  await alone.expectNothingStale();
  await load.progress(); // its clients have moved
  await expectRefused(leader, 600);
  ensemble.heal(leader);
  await ensemble.serving();
  expect(await next.mode()).toBe('leader'); // whoever comes back disturbs nobody
  await load.progress();
  await load.check();
});

test('links that stay and swallow everything are noticed by both sides', async () => {
  await using load = await Load.start(ensemble, '/swallowed');
  await load.progress();
  const alone = await Forlorn.create('/swallowed-read');
  ensemble.blackhole(leader);
  alone.ask();
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/swallowed-read', 'new');
  await ensemble.notServing([leader]);
  await alone.expectNothingStale();
  await load.progress();
  ensemble.heal(leader);
  await ensemble.serving();
  await load.progress();
  await load.check();
});

test('a follower that is cut off takes no more part, and the others go on without a new election', async () => {
  await using load = await Load.start(ensemble, '/follower-cut');
  const [follower] = others;
  await load.progress();
  ensemble.isolate(follower);
  await ensemble.notServing([follower]);
  await load.progress();
  expect(await leader.mode()).toBe('leader');
  ensemble.heal(follower);
  await ensemble.serving();
  expect(await leader.mode()).toBe('leader');
  await load.progress();
  await load.check();
});

test('the link between two followers is not needed: who has one to the leader can join', async () => {
  const [one, two] = others;
  ensemble.cutBetween(one, two);
  await using load = await Load.start(ensemble, '/triangle');
  await load.progress();
  await one.kill();
  await load.progress();
  await one.start();
  expect(await ensemble.serving()).toBe(leader);
  ensemble.mendBetween(one, two);
  await load.progress();
  await load.check();
});
