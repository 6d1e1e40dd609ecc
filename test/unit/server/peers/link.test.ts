import { createServer, type Socket } from 'node:net';
import { encodePeerMessage, type PeerMessage } from '../../../../protocol/peer/messages.js';
import { PeerLink } from '../../../../src/server/peers/link.js';
import { LOOPBACK } from '../../../helpers/ports.js';
import { Cleanup, Happenings, type RawPeer, rawPeer } from './ensemble.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Ends {
  readonly link: PeerLink;
  readonly socket: Socket;
  readonly other: RawPeer;
  readonly events: Happenings;
  readonly messages: PeerMessage[];
}

/** A link with a bare socket at its other end. */
async function ends(queuedBytesMax = 1 << 26): Promise<Ends> {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const other = cleanup.add(rawPeer(address.port), (raw) => raw.socket.destroy());
  const socket = await accepted;
  server.close();
  const events = new Happenings();
  const messages: PeerMessage[] = [];
  const link = new PeerLink(
    socket,
    { incarnation: 'x', messageBytesMax: 1 << 20, queuedBytesMax },
    {
      message: (message) => {
        messages.push(message);
        events.add(message.type);
      },
      broken: (reason, isFault) => events.add(`${isFault ? 'fault' : 'broken'}: ${reason}`),
    },
  );
  cleanup.add(link, (one) => one.destroy());
  return { link, socket, other, events, messages };
}

function framed(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

function batch(bytes: number, fill: number): PeerMessage {
  return { type: 'propose', firstZxid: 1, lastZxid: 2, batch: new Uint8Array(bytes).fill(fill) };
}

const ping: PeerMessage = { type: 'ping', round: 5 };

test('all frames between two flushes leave in one write, and as they were queued', async () => {
  const { link, socket, other } = await ends();
  const payloads = [ping, batch(20_000, 1), batch(30_000, 2), ping, ping, batch(9000, 3)].map(encodePeerMessage);
  const writes: number[] = [];
  const wrapped = socket._writev?.bind(socket);
  if (wrapped === undefined) throw new Error('sockets no longer take many buffers at once');
  socket._writev = (chunks, done) => {
    writes.push(chunks.length);
    wrapped(chunks, done);
  };
  for (const payload of payloads) link.send(payload);
  expect(socket.bytesWritten).toBe(0);
  expect(link.queuedBytes).toBe(payloads.reduce((sum, payload) => sum + payload.length + 4, 0));
  link.flush();
  const stream = Buffer.concat(payloads.map(framed));
  await other.bytes(stream.length);
  expect(other.received()).toEqual(stream);
  // A run of small frames with the large one's length, the large one; three times.
  expect(writes).toEqual([6]);
});

test('a large payload is not copied, whatever number of links it goes to', async () => {
  const { link, socket } = await ends();
  const payload = encodePeerMessage(batch(100_000, 7));
  const written: unknown[] = [];
  const write = socket.write.bind(socket);
  socket.write = (chunk: string | Uint8Array) => {
    written.push(chunk);
    return write(chunk);
  };
  link.send(payload);
  link.flush();
  expect(written[1]).toBe(payload);
});

test('messages arrive however the stream is cut, first bytes included', async () => {
  const { link, other, events, messages } = await ends();
  const sent = [ping, batch(300, 1), ping];
  const stream = Buffer.concat(sent.map((message) => framed(encodePeerMessage(message))));
  link.start(stream.subarray(0, 7));
  other.socket.setNoDelay(true);
  for (const byte of stream.subarray(7)) other.socket.write(Uint8Array.of(byte));
  await events.until('ping', 2);
  expect(messages).toEqual(sent);
});

test('what a message holds is a Uint8Array of memory that nobody writes to again', async () => {
  const { link, other, events, messages } = await ends();
  link.start(new Uint8Array(0));
  other.socket.write(framed(encodePeerMessage(batch(200_000, 1))));
  await events.until('propose');
  for (let i = 0; i < 50; i++) other.socket.write(framed(encodePeerMessage(batch(200_000, 2))));
  await events.until('propose', 51);
  const first = messages[0];
  if (first?.type !== 'propose') throw new Error('no batch');
  expect(Object.getPrototypeOf(first.batch)).toBe(Uint8Array.prototype);
  expect(first.batch.every((byte) => byte === 1)).toBe(true);
});

test.each([
  ['no msgpack', framed(Buffer.from([0xc1, 0xc1, 0xc1])), 'not msgpack'],
  ['a message of no kind', framed(Buffer.from([0x91, 0x7f])), 'unknown kind'],
  ['an empty frame', framed(new Uint8Array(0)), ''],
  ['a frame of a byte that means nothing', framed(Uint8Array.of(9)), 'a frame of one byte'],
  ['a frame that is too long', Buffer.from([0, 0x10, 0, 1]), 'the limit is 1048576'],
  ['a negative length', Buffer.from([0xff, 0, 0, 0]), 'of length'],
])('%s breaks the link, once, and nothing behind it is read', async (_, bytes, reason) => {
  const { link, other, events } = await ends();
  link.start(new Uint8Array(0));
  other.socket.write(Buffer.concat([framed(encodePeerMessage(ping)), bytes, framed(encodePeerMessage(ping))]));
  await other.closed;
  expect(events.list).toEqual(['ping', expect.stringMatching(/^fault: the other side sent /)]);
  expect(events.list[1]).toContain(reason);
});

test('when too much waits for a side that does not read, the link breaks', async () => {
  const { link, other, events } = await ends(8 << 20);
  other.socket.pause();
  const payload = encodePeerMessage(batch(500_000, 1));
  for (let i = 0; i < 1000 && events.list.length === 0; i++) {
    link.send(payload);
    link.flush();
  }
  expect(events.list).toEqual(['broken: more than 8388608 bytes wait for the other side']);
  expect(link.queuedBytes).toBe(0);
});

test('a probe finds out whether somebody answers', async () => {
  const { link, other } = await ends();
  link.start(new Uint8Array(0));
  other.socket.once('data', (bytes) => {
    expect(bytes).toEqual(Buffer.from([0, 0, 0, 1, 1]));
    other.socket.write(Uint8Array.of(0, 0, 0, 1, 2));
  });
  expect(await link.probe(5000)).toBe(true);
  expect(await link.probe(20)).toBe(false);
  const probe = link.probe(5000);
  other.socket.destroy();
  expect(await probe).toBe(false);
  expect(await link.probe(5000)).toBe(false);
});

test('a silent side is asked for a sign of life, and given up when it never gives one', async () => {
  const { link, other, events } = await ends();
  link.start(new Uint8Array(0));
  for (let times = 1; times <= 3; times++) {
    link.watch();
    await other.bytes(5 * times);
  }
  other.socket.write(framed(encodePeerMessage(ping)));
  await events.until('ping');
  for (let times = 0; times <= 30; times++) link.watch();
  expect(events.list).toEqual(['ping']);
  link.watch();
  expect(events.list).toEqual(['ping', 'broken: the other side gives no sign of life']);
});

test('a destroyed link says nothing more', async () => {
  const { link, other, events } = await ends();
  link.start(new Uint8Array(0));
  const destroyed = events.until('ping').then(() => link.destroy());
  other.socket.write(framed(encodePeerMessage(ping)));
  await destroyed;
  other.socket.write(framed(encodePeerMessage(ping)));
  await other.closed;
  expect(events.list).toEqual(['ping']);
});
