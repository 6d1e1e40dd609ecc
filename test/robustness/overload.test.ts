/**
 * Three times as much as the server can do, and more data than it has memory for: it goes on answering, and loses nobody.
 * The whole curve is drawn by test/bench/overload.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { type Load, type OfferFigures, OverloadRig } from '../bench/overload-load.js';
import { CLOSE_SESSION, createBody, FrameClient, Op, readBody, setDataBody } from '../helpers/frame-client.js';
import { LOOPBACK } from '../helpers/ports.js';
import { fourLetterWord, waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';
import { JuteWriter } from '../interop/wire/jute.js';

jest.setTimeout(120_000);

const MIB = 1_048_576;
const THROTTLED = -127;
const GOAL_SHARE = 0.8;

/** Whatever the version. */
const deleteBody = (path: string) => new JuteWriter().string(path).int(-1).bytes();

const figure = async (server: ServerProcess, name: string) =>
  Number(new RegExp(`^zk_${name}\\s+(\\d+)`, 'm').exec(await fourLetterWord(server.port, 'mntr'))?.[1]);

const ROUNDS = 12;
const SLICE = { secs: 0.25, warmSecs: 0.05 };

const load: Load = { kind: 'set', sessions: 16, window: 256, idle: 50, sessionTimeoutMs: 2000 };

test('offered three times its peak it answers four fifths of it at least, in one memory, and no session expires', async () => {
  await using server = await ServerProcess.start({ tickTime: '1000' });
  const rig = await OverloadRig.open({ host: LOOPBACK, port: server.port }, load);
  const atMost = (slice = SLICE) => rig.offer({ perSec: Number.POSITIVE_INFINITY, ...slice });
  await atMost({ secs: 1, warmSecs: 0 }); // until its code is compiled
  const before = server.residentBytes;
  // In short slices by turns, so that whatever else the machine does hits both kinds alike.
  const slices: { peak: OfferFigures; over: OfferFigures }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const peak = await atMost();
    slices.push({ peak, over: await rig.offer({ perSec: 3 * peak.perSec, ...SLICE }) });
  }
  const grown = server.residentBytes - before;
  await rig.close();

  for (const { broken, otherErrors, throttledPerSec, pingMaxMs } of slices.flatMap(({ peak, over }) => [peak, over])) {
    expect([broken, otherErrors, throttledPerSec]).toEqual([0, 0, 0]);
    // The pings were answered while their sessions had time left.
    expect(pingMaxMs).toBeLessThan(load.sessionTimeoutMs);
  }
  const sum = (figureOf: (slice: { peak: OfferFigures; over: OfferFigures }) => number) =>
    slices.reduce((total, slice) => total + figureOf(slice), 0);
  const peak = sum((slice) => slice.peak.perSec);
  expect(sum(({ over }) => over.perSec) / peak).toBeGreaterThan(GOAL_SHARE);
  expect(sum(({ over }) => over.offeredPerSec) / peak).toBeGreaterThan(1.5); // it was too much indeed
  expect(grown).toBeLessThan(150 * MIB);
  expect(await figure(server, 'stale_sessions_expired')).toBe(0);
});

test('short of memory it refuses what needs more, serves everything else, and takes writes again when there is room', async () => {
  await using server = await ServerProcess.start({ memoryLimitInMb: '80', maxSessionTimeout: '4000', forceSync: 'no' });
  const healthy = await FrameClient.session(server.port, { timeoutMs: 4000 });
  const writer = await FrameClient.session(server.port);
  const content = Buffer.alloc(500_000, 1);
  const taken: string[] = [];
  await waitFor(
    async () => {
      await healthy.call(Op.ping);
      const path = `/big-${taken.length}`;
      const { err } = await writer.call(Op.create, createBody(path, content));
      if (err === 0) taken.push(path);
      else expect(err).toBe(THROTTLED);
      return err === 0 ? undefined : true;
    },
    60_000,
    () => `${taken.length} nodes of half a megabyte were taken with a limit of 80 MiB`,
  );
  expect(server.alive).toBe(true);
  expect(taken.length).toBeGreaterThan(30);
  expect((await writer.call(Op.setData, setDataBody('/big-0', content))).err).toBe(THROTTLED);
  expect((await writer.call(Op.getData, readBody('/big-0'))).err).toBe(0);
  expect((await writer.call(Op.exists, readBody('/', true))).err).toBe(THROTTLED);
  expect((await healthy.call(Op.ping)).err).toBe(0);
  const late = await FrameClient.session(server.port);
  expect((await late.call(CLOSE_SESSION)).err).toBe(0);
  expect(await figure(server, 'memory_guard_rejected')).toBeGreaterThanOrEqual(2);
  expect(server.records.filter(({ message }) => message.includes('memory is scarce'))).toHaveLength(1);

  for (const path of taken) {
    expect((await writer.call(Op.delete, deleteBody(path))).err).toBe(0);
  }
  await waitFor(
    async () => {
      await healthy.call(Op.ping);
      await sleep(100);
      return (await writer.call(Op.create, createBody(`/again`, content))).err === 0 ? true : undefined;
    },
    60_000,
    () => `no write is taken after all was deleted\n${server.output.slice(-2000)}`,
  );
  for (const client of [healthy, writer]) client.close();
});
