/**
 * A disk that runs full. Writes are refused with SystemError, each in its turn and never in silence; reads go on;
 * the log says so once; and when there is room again the server goes on by itself, with everything it acknowledged and
 * nothing it refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { connect } from '../../src/client/index.js';
import { Ensemble, type Member } from '../helpers/ensemble.js';
import {
  childrenOf,
  createBody,
  dataOf,
  type Frame,
  FrameClient,
  multiBody,
  Op,
  readBody,
  requestFrame,
} from '../helpers/frame-client.js';
import { Load } from '../helpers/load.js';
import { waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { JuteWriter } from '../interop/wire/jute.js';

jest.setTimeout(60_000);

const SYNC = 9;
const SYSTEM_ERROR = -1;
const CONTENT = Buffer.alloc(20_000, 'x');
/** Writes, and behind each a sync and a read, sent in one go. */
const BURST = 60;
/** Together more than what is left in the files of a full disk. */
const LARGE_WRITES = 40;
const LARGE_BYTES = 200_000;

const why = SmallDisk.whyNot();

/** Sends a burst and returns which of its writes were acknowledged and which refused; everything must be answered. */
async function burst(client: FrameClient, prefix: string): Promise<{ stored: string[]; refused: string[] }> {
  const names = Array.from({ length: BURST }, (_, i) => `${prefix}-${i}`);
  const frames = names.flatMap((name, i) => [
    requestFrame(3 * i + 1, Op.multi, multiBody([[Op.create, createBody(`/all/${name}`, CONTENT)]])),
    requestFrame(3 * i + 2, SYNC, new JuteWriter().string('/').bytes()),
    requestFrame(3 * i + 3, Op.exists, readBody('/all')),
  ]);
  client.send(Buffer.concat(frames));
  const answers: Frame[] = [];
  for (let i = 0; i < frames.length; i++) {
    const answer = await client.nextReply();
    if (answer === 'closed') throw new Error(`hung up after ${i} answers`);
    expect(answer.xid).toBe(i + 1);
    answers.push(answer);
  }
  answers.forEach(({ err }, i) => {
    if (i % 3 === 0 && err !== 0 && err !== SYSTEM_ERROR) throw new Error(`a write failed with ${err}`);
    if (i % 3 !== 0) expect(err).toBe(0);
  });
  const outcome = (err: number) => names.filter((_, i) => answers[3 * i].err === err);
  return { stored: outcome(0), refused: outcome(SYSTEM_ERROR) };
}

async function namesIn(client: FrameClient): Promise<string[]> {
  return childrenOf(await client.call(Op.getChildren, readBody('/all'))).sort();
}

const isSaid = (server: ServerProcess, text: string) => server.records.filter(({ message }) => message.includes(text));

/** The log comes through a pipe of its own, and may be read later than an answer that was sent after it. */
async function expectSaid(server: ServerProcess, text: string, times: number): Promise<void> {
  await waitFor(
    () => (isSaid(server, text).length >= times ? true : undefined),
    5000,
    () => `the log does not say "${text}" ${times} times`,
  );
  expect(isSaid(server, text)).toHaveLength(times);
}

describe(why === undefined ? 'a full disk' : `a full disk (skipped: ${why})`, () => {
  const testWithDisk = why === undefined ? test : test.skip;

  testWithDisk('refuses writes, serves reads, and is forgotten when there is room again', async () => {
    using disk = SmallDisk.mount(32);
    await using server = await ServerProcess.prepare({ dataDir: disk.directory, settings: { snapCount: '100' } });
    await server.start();
    const client = await FrameClient.session(server.port);
    expect((await client.call(Op.create, createBody('/all'))).err).toBe(0);
    const stored = new Set<string>();
    const refused = new Set<string>();

    for (let round = 1; round <= 3; round++) {
      disk.fill();
      for (let attempt = 0; ; attempt++) {
        const outcome = await burst(client, `r${round}-${attempt}`);
        for (const name of outcome.stored) stored.add(name);
        for (const name of outcome.refused) refused.add(name);
        if (outcome.refused.length > 0) break;
        if (attempt === 50) throw new Error('the disk never ran full');
      }
      await expectSaid(server, 'writes are refused', round);
      expect(isSaid(server, 'writes are refused')[0].message).toMatch(/full|exhausted/);

      // Reads and pings go on, sessions are resumed; what cannot be stored is refused or hung up on.
      expect(await namesIn(client)).toEqual([...stored].sort());
      const { sessionId, password } = client;
      expect((await client.call(Op.ping)).err).toBe(0);
      await expect(FrameClient.session(server.port)).rejects.toThrow('hung up');
      const resumed = await FrameClient.session(server.port, { sessionId, password });
      expect(resumed.sessionId).toBe(sessionId);
      expect((await resumed.call(Op.create, createBody('/all/never'))).err).toBe(SYSTEM_ERROR);
      resumed.close();
      await waitFor(
        () => (client.isClosed ? true : undefined),
        5000,
        () => 'the old connection of the session is open',
      );
      await client.reconnect(server.port);

      disk.free();
      await waitFor(
        async () => ((await client.call(Op.create, createBody(`/all/back-${round}`))).err === 0 ? true : undefined),
        15_000,
        () => 'writes are still refused',
      );
      stored.add(`back-${round}`);
      await expectSaid(server, 'the disk takes writes again', round);
      expect(await namesIn(client)).toEqual([...stored].sort());
    }
    expect(refused.size).toBeGreaterThan(0);

    await server.end('SIGKILL');
    await server.start();
    await client.reconnect(server.port);
    expect(await namesIn(client)).toEqual([...stored].sort());
    for (const name of stored) {
      if (name.startsWith('back')) continue;
      expect(dataOf(await client.call(Op.getData, readBody(`/all/${name}`)))).toHaveLength(CONTENT.length);
    }
    client.close();
  });

  testWithDisk('does not keep the server from stopping in order', async () => {
    using disk = SmallDisk.mount(32);
    await using server = await ServerProcess.prepare({ dataDir: disk.directory });
    await server.start();
    const client = await FrameClient.session(server.port);
    await client.call(Op.create, createBody('/all'));
    disk.fill();
    const stored: string[] = [];
    for (let attempt = 0; attempt < 50; attempt++) {
      const outcome = await burst(client, String(attempt));
      stored.push(...outcome.stored);
      if (outcome.refused.length > 0) break;
    }
    expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    disk.free();
    await server.start();
    await client.reconnect(server.port);
    expect(await namesIn(client)).toEqual(stored.sort());
    client.close();
  });

  testWithDisk('at the start is told in words, and the exit code is 1', async () => {
    using disk = SmallDisk.mount(1);
    disk.fill();
    await using server = await ServerProcess.prepare({ dataDir: disk.directory });
    server.launch();
    expect(await server.ending).toEqual({ code: 1, signal: null });
    expect(server.output).toMatch(/full/);
    expect(server.output).toContain('Free disk space');
  });

  testWithDisk(
    'of one server in three holds up nobody; of all of them, nothing that was acknowledged is lost',
    async () => {
      using one = SmallDisk.mount(32);
      using two = SmallDisk.mount(32);
      using three = SmallDisk.mount(32);
      const disks = [one, two, three];
      const dataDirs = Object.fromEntries(disks.map(({ directory }, i) => [i + 1, directory]));
      await using ensemble = await Ensemble.start({ dataDirs, settings: { snapCount: '300' } });
      const leader = await ensemble.serving();
      await using load = await Load.start(ensemble, '/full');
      await load.progress();

      const diskOf = (member: Member) => disks[member.id - 1];
      const isFull = /"level":"error","message":"[^"]*(full|exhausted)/;
      const filled = async (member: Member) => {
        diskOf(member).fill();
        await load.progress(100); // what is left inside the files is used up
        await ensemble.until(() => (isFull.test(member.log) ? true : undefined), `server ${member.id} does not say so`);
        await load.progress();
      };
      await filled(leader);
      diskOf(leader).free();
      await ensemble.serving();
      const [follower] = ensemble.others(await ensemble.serving());
      await filled(follower);

      for (const disk of disks) disk.fill();
      await using client = await connect(ensemble.connectString, { requestTimeoutMs: 20_000 });
      const names = Array.from({ length: LARGE_WRITES }, (_, i) => `/large-${i}`);
      const writes = Promise.allSettled(names.map((name) => client.create(name, Buffer.alloc(LARGE_BYTES))));
      await sleep(1500);
      for (const disk of disks) disk.free();
      const results = await writes;
      const stored = names.filter((_, i) => results[i].status === 'fulfilled');
      expect(stored.length).toBeLessThan(LARGE_WRITES); // there was no room for them
      await ensemble.serving();
      await load.progress();
      const found = await Promise.all(stored.map((name) => client.exists(name)));
      expect(found).not.toContain(null);
      await load.check();
    },
  );
});
