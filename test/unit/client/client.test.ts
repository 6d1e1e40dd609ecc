// The client over real sockets, against a server of a few lines: what the shell around the session machine has to do.

import { createServer, type Server, type Socket } from 'node:net';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import { writeConnectResponse } from '../../../protocol/client/packets.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { connect, createClient } from '../../../src/client/connect.js';
import * as sdk from '../../../src/client/index.js';
import { data, decodePacket, type Packet, splitFrames } from './scripted-session.js';

type Answer = 'data' | 'silence' | 'noNode';

/** Grants sessions and answers every request in the same way; keeps the packets by the chunk they came in. */
class SmallServer {
  readonly chunks: Packet[][] = [];
  readonly sockets = new Set<Socket>();
  answer: Answer = 'data';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static start(): Promise<SmallServer> {
    const server = new SmallServer();
    return new Promise((resolve) => server.#server.listen(0, '127.0.0.1', () => resolve(server)));
  }

  get address(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
  }

  stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    let greeted = false;
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      const frames = splitFrames(new Uint8Array(chunk));
      if (!greeted) {
        greeted = true;
        frames.shift();
        const session = { protocolVersion: 0, timeoutMs: 6000, sessionId: 5n, password: new Uint8Array(16) };
        socket.write(frame((writer) => writeConnectResponse(writer, { ...session, readOnly: false })));
      }
      const packets = frames.map(decodePacket);
      if (packets.length > 0) this.chunks.push(packets);
      for (const packet of packets) this.#reply(socket, packet);
    });
  }

  #reply(socket: Socket, { xid, name }: Packet): void {
    if (this.answer === 'silence' && name !== 'closeSession') return;
    const isData = name === 'getData' && this.answer === 'data';
    socket.write(
      frame((writer) => {
        writer.int(xid);
        writer.long(1n);
        writer.int(this.answer === 'noNode' ? Code.NoNode : Code.Ok);
        if (isData) operations.getData.response.write(writer, data('x'));
        if (name === 'addWatch') writer.int(0);
      }),
    );
  }
}

function frame(write: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter();
  const start = writer.beginFrame();
  write(writer);
  writer.endFrame(start);
  return writer.toBytes();
}

let server: SmallServer;
beforeEach(async () => {
  server = await SmallServer.start();
});
afterEach(() => server.stop());

test('all requests of one turn leave in one write', async () => {
  const client = await connect(server.address);
  const first = Array.from({ length: 50 }, () => client.get('/a'));
  // Those that follow from promises of the same turn go with them.
  await Promise.all([...first, Promise.resolve().then(() => client.get('/b'))]);
  expect(server.chunks.map((packets) => packets.length)).toEqual([51]);
  await client.close();
});

test('an AbortSignal ends a call at once and keeps no listener of one that ended', async () => {
  const client = await connect(server.address);
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await client.get('/a', { signal });
  await Promise.resolve();
  expect(listeners).toBe(0);
  server.answer = 'silence';
  const waiting = client.get('/a', { signal });
  const stream = client.watch('/a', { signal });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(stream.next()).rejects.toThrow('enough');
  await expect(client.get('/a', { signal })).rejects.toThrow('enough');
  await client.close();
});

test('a stream on a node that the server refuses ends with the error, and unread failures disturb nobody', async () => {
  const client = await connect(server.address);
  server.answer = 'noNode';
  await expect(client.watch('/a').next()).rejects.toMatchObject({ name: 'NoNode', operation: 'watch', path: '/a' });
  client.watch('/b');
  await client.close();
  const late = client.watch('/c');
  await expect(late.ready).rejects.toMatchObject({ name: 'ClientClosed' });
});

test('close ends streams and states, and rejects what waits', async () => {
  const client = await connect(server.address);
  const states = client.states();
  const stream = client.watch('/a');
  await stream.ready;
  server.answer = 'silence';
  const waiting = client.get('/a');
  const failed = expect(waiting).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: false });
  const reading = stream.next();
  for (const socket of server.sockets) socket.destroy();
  await failed;
  await Promise.all([client.close(), client.close()]);
  expect(client.state).toBe('CLOSED');
  const gap = await reading;
  expect(gap.done === true || gap.value.type === 'gap').toBe(true);
  const seen: string[] = [];
  for await (const { state } of states) seen.push(state);
  expect(seen[0]).toBe('SUSPENDED');
  expect(seen.at(-1)).toBe('CLOSED');
});

test('connect() can be given up, and tells why nobody answered', async () => {
  const { address } = server;
  await server.stop();
  const refused = connect(address, { connectTimeoutMs: 50 });
  await expect(refused).rejects.toMatchObject({ name: 'ConnectionLoss', operation: 'connect' });
  await expect(refused).rejects.toThrow('ECONNREFUSED');
  await expect(connect(address, { signal: AbortSignal.abort(new Error('never mind')) })).rejects.toThrow('never mind');
  expect(() => createClient('a:b')).toThrow(expect.objectContaining({ name: 'BadArguments' }));
  expect(() => createClient('a', { sessionTimeoutMs: 0 })).toThrow('sessionTimeoutMs is 0');
  server = await SmallServer.start();
});

test('the public surface is what it is meant to be', () => {
  expect(Object.keys(sdk).sort()).toEqual([
    'CREATOR_ACL',
    'OPEN_ACL',
    'Perms',
    'READ_ACL',
    'ZooKeeperError',
    'connect',
    'createClient',
    'exponentialBackoff',
    'onAbort',
    'unprotectedName',
  ]);
});
