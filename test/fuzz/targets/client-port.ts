/**
 * The client port without its sockets: frames are assembled, decoded, admitted, logged, executed and answered in this
 * process. Each case is one connection from its greeting to its end, its bytes cut at random places.
 *
 * Checked beside crashes: every whole request is answered in its turn or the connection is closed; nothing is left of a
 * connection that is gone; executing the log again leads to the same state.
 */
import { OpCode } from '../../../protocol/client/constants.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { FrameAssembler } from '../../../src/server/net/frames.js';
import type { Random } from '../../../src/std/random.js';
import { stream } from '../client-grammar.js';
import { LocalServer } from '../local-server.js';
import { Finding, randomOf, type Subject, type Target } from '../target.js';

const FRAME_BYTES_MAX = 1_048_575;
/** Cases until the server is replaced, so that its tree stays small. */
const LIFE = 2000;
const HEADER_BYTES = 8;
const REPLY_HEADER_BYTES = 16;
const EVENT_XID = -1;
const HELD_BYTES_MAX = 5_000_000;

export const clientPort: Target = {
  name: 'client-port',
  promise: 'every whole request is answered in its turn, or the connection is closed; nothing stays behind',
  lanes: 1,
  isInProcess: true,
  generate: stream,
  start: async () => new ClientPort(),
};

class ClientPort implements Subject {
  private server = new LocalServer();
  private cases = 0;

  run(input: Uint8Array): void {
    if (++this.cases % LIFE === 0) {
      this.check();
      // Every other life is short of everything, so that limits and waiting are met as well.
      const isPoor = (this.cases / LIFE) % 2 === 1;
      this.server = new LocalServer(isPoor ? POOR : {});
    }
    const { server } = this;
    const random = randomOf(input);
    const out: Uint8Array[] = [];
    const connection = server.connect(random.bytes(16), (bytes) => out.push(bytes));
    const assembler = new FrameAssembler(FRAME_BYTES_MAX);
    const requests: number[] = [];
    let isBroken = false;
    for (let at = 0; at < input.length && !isBroken && !server.isClosed(connection); ) {
      const end = random.int(3) === 0 ? Math.min(input.length, at + 1 + random.int(40)) : input.length;
      try {
        assembler.feed(input.slice(at, end), (bytes, start, stop) => {
          noteRequests(requests, bytes, start, stop);
          server.frames(connection, bytes, start, stop);
        });
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        isBroken = true;
      }
      if (random.bool() || connection.paused) server.settle();
      if (connection.heldBytes > HELD_BYTES_MAX) throw new Finding(`${connection.heldBytes} bytes are held`);
      at = end;
    }
    server.settle();
    if (random.int(50) === 0) server.pass(random.int(500));
    if (!server.isClosed(connection)) {
      // The first frame was the greeting, and its answer has no header.
      checkReplies(requests.slice(1), repliesIn(Buffer.concat(out)));
    }
    server.disconnect(connection);
    server.settle();
    server.checkQuiet();
  }

  check(): void {
    this.server.checkQuiet();
    this.server.checkTwin();
  }

  async stop(): Promise<void> {}
}

const POOR = {
  outstandingMax: 3,
  throttledWaitMs: 1,
  watchesPerSessionMax: 3,
  ephemeralsPerSessionMax: 2,
  requiredSchemes: null,
  skipAcl: true,
};

/** Adds the xid of each frame; null where the reply need not come in its turn (authentication, E12). */
function noteRequests(requests: (number | null)[], bytes: Uint8Array, start: number, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at < end; ) {
    const length = view.getInt32(at);
    const isRequest = length >= HEADER_BYTES;
    const operation = isRequest ? view.getInt32(at + 8) : 0;
    const isAuthentication = operation === OpCode.auth || operation === OpCode.sasl;
    requests.push(isRequest && !isAuthentication ? view.getInt32(at + 4) : null);
    at += 4 + length;
  }
}

function repliesIn(bytes: Buffer): number[] {
  const xids: number[] = [];
  let isFirst = true;
  for (let at = 0; at < bytes.length; isFirst = false) {
    const length = bytes.readInt32BE(at);
    if (length < 0 || at + 4 + length > bytes.length) throw new Finding('a reply is not whole');
    if (!isFirst) {
      if (length < REPLY_HEADER_BYTES) throw new Finding(`a reply of ${length} bytes`);
      xids.push(bytes.readInt32BE(at + 4));
    }
    at += 4 + length;
  }
  return xids;
}

function checkReplies(asked: readonly (number | null)[], answered: readonly number[]): void {
  // Events have the xid -1, which a strange request may have too.
  const awaited = asked.filter((xid) => xid !== null && xid !== EVENT_XID);
  const others = new Set(asked.includes(null) ? answered.filter((xid) => !awaited.includes(xid)) : []);
  const came = answered.filter((xid) => xid !== EVENT_XID && !others.has(xid));
  const isSame = came.length === awaited.length && came.every((xid, i) => xid === awaited[i]);
  if (!isSame && !asked.includes(null)) throw new Finding(`asked ${awaited.join(' ')}, answered ${came.join(' ')}`);
}

/** One connection from its greeting to its end, unchecked. */
export function feed(server: LocalServer, input: Uint8Array, random: Random): void {
  const connection = server.connect(random.bytes(16), () => {});
  const assembler = new FrameAssembler(FRAME_BYTES_MAX);
  try {
    assembler.feed(input, (bytes, start, end) => server.frames(connection, bytes, start, end));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  server.settle();
  server.disconnect(connection);
}
