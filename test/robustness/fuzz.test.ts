/**
 * A fuzzer that knows the grammar: it takes valid requests, changes them a little, and sends them in pieces of any
 * size. Where only bodies were changed, each request must get its answer in its turn; where the stream itself was, the
 * server may hang up. Either way the process lives, and what it stored can be loaded again.
 *
 * ZABRA_FUZZ_SEED=… replays a run; a failure prints its seed. ZABRA_FUZZ_CASES=… makes it longer.
 */
import { jest } from '@jest/globals';
import { Random } from '../../src/std/random.js';
import { bodyOf, NAMES } from '../fuzz/client-grammar.js';
import { mutated } from '../fuzz/mutate.js';
import { connectRequest, FrameClient, Op, requestFrame } from '../helpers/frame-client.js';
import { HealthyClient } from '../helpers/healthy-client.js';
import { fourLetterWord } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';
import { type OperationName, operation } from '../interop/wire/operations.js';

jest.setTimeout(120_000);

const seed = Number(process.env.ZABRA_FUZZ_SEED ?? Date.now() % 1_000_000_000);
const cases = Number(process.env.ZABRA_FUZZ_CASES ?? 3000);
/** Requests of one case, and cases in flight at once. */
const REQUESTS_MAX = 12;
const LANES = 20;
const HEALTHY_MS = 1000;

/** Ends the connection whatever is in it. */
const ENDING: readonly OperationName[] = ['auth', 'closeSession'];
const SOUND_NAMES = NAMES.filter((name) => !ENDING.includes(name));

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ snapCount: '500', maxSessionTimeout: '60000' });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Writes the bytes in pieces of any size. */
async function sendInPieces(random: Random, client: FrameClient, bytes: Buffer): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const end = random.int(4) === 0 ? at + 1 + random.int(40) : bytes.length;
    client.send(bytes.subarray(at, end));
    at = end;
    if (random.int(4) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bodies are changed, the stream is sound: one answer for each request, in order. */
async function soundStream(random: Random): Promise<void> {
  const names = Array.from({ length: 1 + random.int(REQUESTS_MAX) }, () => random.pick(SOUND_NAMES));
  const frames = names.map((name, i) => requestFrame(i + 1, operation(name).code, bodyOf(random, name)));
  const client = await FrameClient.session(server.port);
  await sendInPieces(random, client, Buffer.concat(frames));
  for (const [i, name] of names.entries()) {
    const answer = await client.nextReply();
    if (answer === 'closed' || answer.xid !== i + 1 || answer.err === -1) {
      throw new Error(`${name} (${frames[i].toString('hex').slice(0, 400)}) was answered by ${JSON.stringify(answer)}`);
    }
  }
  client.close();
}

/** The stream is changed as well, from the greeting on; it ends with a hang-up of ours or of the server's. */
async function brokenStream(random: Random): Promise<void> {
  const greeting = mutated(random, connectRequest({ timeoutMs: random.int(100_000) - 10 }));
  const frames = Array.from({ length: random.int(REQUESTS_MAX + 1) }, (_, i) => {
    const name = random.pick(NAMES);
    return mutated(random, requestFrame(i + 1, operation(name).code, bodyOf(random, name)));
  });
  const client = await FrameClient.connect(server.port);
  await sendInPieces(random, client, mutated(random, Buffer.concat([greeting, ...frames])));
  if (random.bool()) client.socket.end();
  else client.socket.resetAndDestroy();
}

test(`${cases} cases, seed ${seed}`, async () => {
  const healthy = await HealthyClient.start(server.port);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases) {
      const caseSeed = seed + next++;
      const random = new Random(caseSeed);
      try {
        await (random.int(3) === 0 ? brokenStream(random) : soundStream(random));
      } catch (error) {
        throw new Error(`case ${caseSeed} (ZABRA_FUZZ_SEED=${caseSeed} ZABRA_FUZZ_CASES=1)`, { cause: error });
      }
      if (!server.alive)
        throw new Error(`the server is gone, near case ${caseSeed}; seed ${seed}\n${server.output.slice(-4000)}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  const { failure, rounds, worstMs } = await healthy.stop();
  expect(failure).toBeNull();
  expect(rounds).toBeGreaterThan(0);
  expect(worstMs).toBeLessThan(HEALTHY_MS);
  const client = await FrameClient.session(server.port);
  expect((await client.call(Op.ping)).err).toBe(0);
  expect(server.records.filter(({ level }) => level === 'error')).toEqual([]);

  const before = await fourLetterWord(server.port, 'hash');
  await server.end('SIGKILL');
  await server.start();
  expect(await fourLetterWord(server.port, 'hash')).toBe(before);
});
