/**
 * The same ports, of a server process, through sockets: slower, and with everything that stands between a socket and
 * the core. A case is a connection: its bytes go out in pieces, then it hangs up, gently or not.
 *
 * Checked now and then, and at the end: the process lives, answers within a second, has no connection left, has logged no
 * error, and holds no more memory than a server in use may.
 */
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeGreeting, helloBody } from '../../../src/server/peers/greeting.js';
import type { Random } from '../../../src/std/random.js';
import { openSocket } from '../../helpers/frame-client.js';
import { freePort, LOOPBACK } from '../../helpers/ports.js';
import { fourLetterWord, waitFor } from '../../helpers/processes.js';
import { ServerProcess } from '../../helpers/server-process.js';
import { stream } from '../client-grammar.js';
import { mutated } from '../mutate.js';
import { Finding, randomOf, type Subject, type Target } from '../target.js';
import { peerPort } from './peer-port.js';

const LANES = 16;
const CHECK_EVERY = 5000;
const ANSWER_MS_MAX = 10_000;
const RESIDENT_BYTES_MAX = 900 * 1_048_576;
/** How long a case waits for the server to hang up, which it does after a word. */
const WAIT_MS = 5;

const WORDS = ['conf', 'cons', 'crst', 'dirs', 'dump', 'envi', 'gtmk', 'hash', 'isro', 'mntr', 'ruok', 'srst', 'srvr'];
const MORE_WORDS = ['stat', 'stmk', 'wchc', 'wchp', 'wchs', 'kill', 'RUOK', 'ruo', '\xff\xf4\xff\xfd', ''];

class Live implements Subject {
  private cases = 0;

  constructor(
    private readonly server: ServerProcess,
    private readonly port: number,
    private readonly isServing: boolean,
  ) {}

  async run(input: Uint8Array): Promise<void> {
    if (++this.cases % CHECK_EVERY === 0) await this.check();
    const random = randomOf(input);
    const socket = await openSocket(this.port).catch((error) => {
      throw new Finding(`no connection: ${String(error)}; alive: ${this.server.alive}`);
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume();
    await this.send(socket, input, random);
    if (random.int(4) === 0) socket.resetAndDestroy();
    else socket.end();
    await Promise.race([closed, sleep(ANSWER_MS_MAX)]);
    if (!socket.destroyed) throw new Finding('a connection that we closed is not closed by the server');
  }

  private async send(socket: Socket, input: Uint8Array, random: Random): Promise<void> {
    for (let at = 0; at < input.length && socket.writable; ) {
      const end = random.int(3) === 0 ? Math.min(input.length, at + 1 + random.int(40)) : input.length;
      socket.write(input.subarray(at, end));
      at = end;
      if (random.bool()) await new Promise((resolve) => setImmediate(resolve));
    }
    if (random.int(8) === 0) await sleep(WAIT_MS);
  }

  async check(): Promise<void> {
    const { server } = this;
    if (!server.alive) throw new Finding(`the server is gone\n${server.output.slice(-4000)}`);
    const startMs = performance.now();
    const answer = await fourLetterWord(server.port, 'ruok');
    const tookMs = performance.now() - startMs;
    if (answer !== 'imok' || tookMs > ANSWER_MS_MAX) throw new Finding(`'${answer}' after ${Math.round(tookMs)} ms`);
    const errors = server.records.filter(({ level }) => level === 'error');
    if (errors.length > 0) throw new Finding(`it has logged ${JSON.stringify(errors[0])}`);
    const { residentBytes } = server;
    if (residentBytes > RESIDENT_BYTES_MAX) throw new Finding(`it holds ${residentBytes} bytes`);
  }

  async stop(): Promise<void> {
    await this.settled();
    await this.server[Symbol.asyncDispose]();
  }

  private async settled(): Promise<void> {
    if (!this.isServing) return;
    let count = 0;
    await waitFor(
      async () => {
        count = Number(/^Connections: (\d+)$/m.exec(await fourLetterWord(this.server.port, 'srvr'))?.[1]);
        return count <= 1 ? true : undefined;
      },
      ANSWER_MS_MAX * 2,
      () => `${count} connections are left`,
    );
  }
}

async function serving(): Promise<Subject> {
  const server = await ServerProcess.start({
    snapCount: '20000',
    maxSessionTimeout: '4000',
    'nio.sessionlessCnxnTimeout': '5000',
    forceSync: 'no',
  });
  return new Live(server, server.port, true);
}

export const liveClientPort: Target = {
  name: 'live-client-port',
  promise: 'a server process goes on serving, and keeps nothing of those who are gone',
  lanes: LANES,
  isInProcess: false,
  generate: stream,
  start: serving,
};

export const fourLetterWords: Target = {
  name: 'four-letter-words',
  promise: 'a server process goes on serving, whatever looks like a word',
  lanes: LANES,
  isInProcess: false,
  generate(random) {
    const word = Buffer.from(random.pick([...WORDS, ...MORE_WORDS]), 'latin1');
    return Buffer.concat([mutated(random, word), random.int(3) === 0 ? random.bytes(random.int(12)) : Buffer.alloc(0)]);
  },
  start: serving,
};

// --- the port for servers, from its first byte on

const MEMBERS = [1, 2, 3].map((id) => ({ id, role: 'participant' as const, weight: 1, group: undefined }));

export const livePeerPort: Target = {
  name: 'live-peer-port',
  promise: 'a server process that waits for its peers goes on waiting, whoever pretends to be one',
  lanes: LANES,
  isInProcess: false,
  generate(random) {
    const hello = {
      cluster: '',
      sender: 2 + random.int(2),
      recipient: 1,
      incarnation: randomHex(random),
      members: MEMBERS,
    };
    const greeting = mutated(random, encodeGreeting('hello', helloBody(hello)));
    const messages = peerPort.generate(random).subarray(1);
    return Buffer.concat([
      greeting,
      random.bool() ? mutated(random, encodeGreeting('ready', '')) : Buffer.alloc(0),
      framesOf(messages),
    ]);
  },
  async start() {
    const ports = await Promise.all(Array.from({ length: 6 }, freePort));
    const server = await ServerProcess.prepare({
      settings: {
        initLimit: '10',
        syncLimit: '5',
        forceSync: 'no',
        ...Object.fromEntries(
          [1, 2, 3].map((id) => [`server.${id}`, `${LOOPBACK}:${ports[id * 2 - 2]}:${ports[id * 2 - 1]}`]),
        ),
      },
    });
    writeFileSync(join(server.dataDir, 'myid'), '1\n');
    server.launch();
    await waitFor(
      async () => ((await fourLetterWord(server.port, 'ruok').catch(() => '')) === 'imok' ? true : undefined),
      ANSWER_MS_MAX * 3,
      () => `the server does not answer:\n${server.output}`,
    );
    return new Live(server, ports[0], false);
  },
};

function randomHex(random: Random): string {
  return Buffer.from(random.bytes(8)).toString('hex');
}

/** Without the byte before each that says who sends it. */
function framesOf(records: Uint8Array): Buffer {
  const frames: Uint8Array[] = [];
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at + 5 <= records.length; ) {
    const end = at + 5 + view.getUint32(at + 1);
    frames.push(records.subarray(at + 1, end));
    at = end;
  }
  return Buffer.concat(frames);
}
