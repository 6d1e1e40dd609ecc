/**
 * The port for servers, behind the greeting: messages as bytes, into a server that looks for a leader, leads or follows.
 * Whoever gets that far has proved to be a member, so a message may be believed, but not if it cannot be: bytes that are
 * no message break the link, and no message, in whatever order, breaks an invariant.
 *
 * An input is the server's role (one byte) and then messages: who sends it (one byte, 2 or 3), length, bytes.
 */
import { OpCode } from '../../../protocol/client/constants.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { makeZxid } from '../../../protocol/ids.js';
import { encodeBatch } from '../../../protocol/peer/codec.js';
import { BatchBuilder } from '../../../protocol/peer/entries.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../../protocol/peer/messages.js';
import type { Random } from '../../../src/std/random.js';
import { DEFAULT_ENSEMBLE_OPTIONS } from '../../../src/testing/index.js';
import { OPERATIONS } from '../../interop/wire/operations.js';
import { bodyOf, NAMES } from '../client-grammar.js';
import { LocalServer } from '../local-server.js';
import { mutated } from '../mutate.js';
import { Finding, type Subject, type Target } from '../target.js';

const ROLES = ['looking', 'leading', 'following'] as const;
const PEERS = [2, 3];
const MESSAGES_MAX = 10;
const RECORD_HEADER_BYTES = 5;

export const peerPort: Target = {
  name: 'peer-port',
  promise: 'bytes that are no message break the link and nothing else; no sequence of messages breaks an invariant',
  lanes: 1,
  isInProcess: true,
  generate(random) {
    const records = Array.from({ length: 1 + random.int(MESSAGES_MAX) }, () => {
      const payload = encodePeerMessage(message(random));
      return record(random.pick(PEERS), random.int(4) === 0 ? mutated(random, payload) : payload);
    });
    return Buffer.concat([Buffer.from([random.int(ROLES.length)]), ...records]);
  },
  start: async () => new PeerPort(),
};

class PeerPort implements Subject {
  run(input: Uint8Array): void {
    const server = new LocalServer({
      ensemble: { ...DEFAULT_ENSEMBLE_OPTIONS, voters: [1, ...PEERS].map((id) => ({ id, weight: 1, group: 0 })) },
    });
    const { replica } = server;
    for (const peer of PEERS) replica.handle({ type: 'peerConnected', peer });
    assume(server, ROLES[(input[0] ?? 0) % ROLES.length]);
    for (const [peer, payload] of recordsOf(input)) {
      if (server.hasDiverged) return;
      try {
        replica.handle({ type: 'peerMessage', peer, message: decodePeerMessage(payload) });
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        replica.handle({ type: 'peerDisconnected', peer });
        replica.handle({ type: 'peerConnected', peer });
      }
      server.settle();
      server.pass(30);
    }
  }

  check(): void {}

  async stop(): Promise<void> {}
}

/** What leads up to a role, as the other two servers say it. */
function assume(server: LocalServer, role: (typeof ROLES)[number]): void {
  if (role === 'looking') return;
  const say = (peer: number, message: PeerMessage) => {
    server.replica.handle({ type: 'peerMessage', peer, message });
    server.settle();
  };
  const leader = role === 'leading' ? 1 : 3;
  const state = role === 'leading' ? 'looking' : 'leading';
  server.pass(1);
  for (const peer of PEERS) {
    say(peer, { type: 'vote', round: 1, leader, epoch: 0, zxid: 0, state: peer === 3 ? state : 'following' });
  }
  for (let i = 0; i < 5; i++) server.pass(20);
  if (role === 'leading') {
    say(2, { type: 'follow', acceptedEpoch: 0, isObserver: false, isVoting: true });
    say(2, { type: 'epochAccepted', epoch: 1, currentEpoch: 0, ends: [0], counts: true });
    say(2, { type: 'newLeaderStored', epoch: 1 });
  } else {
    say(3, { type: 'newEpoch', epoch: 1 });
    say(3, { type: 'newLeader', epoch: 1 });
    say(3, { type: 'upToDate', zxid: 0 });
  }
  const now = server.replica.role;
  if (now !== role) throw new Finding(`a server that should be ${role} is ${now}`);
}

function record(peer: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header[0] = peer;
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

function recordsOf(input: Uint8Array): [peer: number, payload: Uint8Array][] {
  const records: [number, Uint8Array][] = [];
  const bytes = Buffer.from(input);
  for (let at = 1; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const from = at + RECORD_HEADER_BYTES;
    const to = Math.min(bytes.length, from + bytes.readUInt32BE(at + 1));
    records.push([PEERS[bytes[at] % PEERS.length], new Uint8Array(bytes.subarray(from, to))]);
    at = to;
  }
  return records;
}

// --- messages whose fields are right, and fit together now and then

function message(random: Random): PeerMessage {
  const epoch = random.int(3);
  const zxid = zxidOf(random);
  switch (random.int(22)) {
    case 0:
      return { type: 'vote', round: random.int(3), leader: 1 + random.int(3), epoch, zxid, state: stateOf(random) };
    case 1:
      return { type: 'follow', acceptedEpoch: epoch, isObserver: random.bool(), isVoting: random.bool() };
    case 2:
      return { type: 'newEpoch', epoch };
    case 3:
      return { type: 'epochAccepted', epoch, currentEpoch: random.int(3), ends: zxids(random), counts: random.bool() };
    case 4:
      return { type: 'truncate', afterZxid: zxid };
    case 5:
      return { type: 'truncated', lastZxid: zxid };
    case 6:
      return { type: 'snapshot', zxid, header: random.bytes(random.int(30)) };
    case 7:
      return { type: 'snapshotPages', pages: [{ page: random.int(3), bytes: random.bytes(random.int(30)) }] };
    case 8:
      return { type: random.bool() ? 'snapshotEnd' : 'snapshotTaken' };
    case 9:
      return { type: 'newLeader', epoch };
    case 10:
      return { type: 'newLeaderStored', epoch };
    case 11:
      return { type: 'upToDate', zxid };
    case 12:
      return { type: 'ack', zxid };
    case 13:
      return { type: 'commit', zxid, digestHigh: random.int(2), digestLow: random.int(2) };
    case 14:
      return { type: 'revalidate', sessions: zxids(random), timeoutsMs: zxids(random) };
    case 15:
      return { type: 'revalidated', sessions: zxids(random), alive: [random.bool()], zxid };
    case 16:
      return { type: 'moved', session: random.int(3) };
    case 17:
      return random.bool()
        ? { type: 'sync', id: random.int(3), sessions: zxids(random) }
        : { type: 'synced', id: random.int(3), zxid };
    case 18:
      return random.bool()
        ? { type: 'ping', round: random.int(4) }
        : { type: 'pong', round: random.int(4), sessions: zxids(random) };
    case 19:
      return { type: 'forward', batch: batch(random, 1).bytes };
    default: {
      const { bytes, length } = batch(random, zxid);
      return {
        type: 'propose',
        firstZxid: zxid,
        lastZxid: zxid + length - (random.int(8) === 0 ? 0 : 1),
        batch: bytes,
      };
    }
  }
}

function batch(random: Random, firstZxid: number): { bytes: Uint8Array; length: number } {
  const builder = new BatchBuilder(random.int(4));
  const length = 1 + random.int(3);
  for (let i = 0; i < length; i++) {
    const name = random.pick(NAMES);
    const code = random.pick([OPERATIONS[name].code, OpCode.createSession, OpCode.error]);
    const body = bodyOf(random, name);
    builder.add(code, random.int(3), i, [{ scheme: 'ip', id: '127.0.0.1' }], body, 0, body.length);
  }
  return { bytes: encodeBatch(builder.close(Math.max(1, firstZxid), 1000)), length };
}

function zxidOf(random: Random): number {
  return random.int(6) === 0 ? 0 : makeZxid(random.int(3), random.int(4));
}

function zxids(random: Random): number[] {
  return Array.from({ length: random.int(3) }, () => (random.bool() ? zxidOf(random) : random.int(3)));
}

function stateOf(random: Random): 'looking' | 'following' | 'observing' | 'leading' | 'established' {
  return random.pick(['looking', 'following', 'observing', 'leading', 'established']);
}
