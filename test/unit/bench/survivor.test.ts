import { createServer, type Server, type Socket } from 'node:net';
import { OpCode, Xid } from '../../../protocol/client/constants.js';
import { readConnectRequest, writeConnectResponse } from '../../../protocol/client/packets.js';
import { ReplyHeader, RequestHeader, SetWatchesRequest } from '../../../protocol/client/records.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { FrameWalker } from '../../bench/frame-walker.js';
import { writeGet } from '../../bench/requests.js';
import { ConnectionLost, Survivor } from '../../bench/survivor.js';
import { LOOPBACK } from '../../helpers/ports.js';

const TIMEOUT_MS = 30_000;
const SESSION_ID = 0x1234n;

/** A server that answers every request with zxid 77, writes down what it heard, and refuses sessions if it is told to. */
class ScriptedServer {
  readonly heard: string[] = [];
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    readonly address: { readonly host: string; readonly port: number },
  ) {}

  static async start(behaviour: 'serves' | 'expires' | 'silent' = 'serves'): Promise<ScriptedServer> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, LOOPBACK, resolve));
    const { port } = listener.address() as { port: number };
    const server = new ScriptedServer(listener, { host: LOOPBACK, port });
    listener.on('connection', (socket) => server.converse(socket, behaviour));
    return server;
  }

  /** Hangs up on everybody; new connections are welcome. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async end(): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private converse(socket: Socket, behaviour: string): void {
    this.sockets.add(socket);
    let isConnected = false;
    const walker = new FrameWalker((bytes, start, length) => {
      const reader = new JuteReader(bytes, start, start + length);
      if (isConnected) {
        if (behaviour !== 'silent') this.answer(reader, socket);
        return;
      }
      isConnected = true;
      const { sessionId, lastZxidSeen } = readConnectRequest(reader);
      this.heard.push(`session ${sessionId} seen ${lastZxidSeen}`);
      const timeoutMs = behaviour === 'expires' && sessionId !== 0n ? 0 : TIMEOUT_MS;
      send(socket, (writer) => {
        const password = new Uint8Array(16).fill(9);
        writeConnectResponse(writer, {
          protocolVersion: 0,
          timeoutMs,
          sessionId: SESSION_ID,
          password,
          readOnly: false,
        });
      });
    });
    socket.on('data', (chunk: Buffer) => walker.feed(chunk, chunk.length));
    socket.on('error', () => {});
  }

  private answer(reader: JuteReader, socket: Socket): void {
    const { xid, type } = RequestHeader.read(reader);
    if (type === OpCode.setWatches) {
      const { relativeZxid, dataWatches } = SetWatchesRequest.read(reader);
      this.heard.push(`watches ${dataWatches} since ${relativeZxid}`);
    } else if (xid !== Xid.ping) this.heard.push(`request ${xid}`);
    send(socket, (writer) => ReplyHeader.write(writer, { xid, zxid: 77n, err: 0 }));
  }
}

function send(socket: Socket, write: (writer: JuteWriter) => void): void {
  const writer = new JuteWriter(64);
  const start = writer.beginFrame();
  write(writer);
  writer.endFrame(start);
  socket.write(writer.toBytes());
}

describe('Survivor', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });
  const get = (xid: number) => (writer: JuteWriter) => writeGet(writer, xid, '/a');

  async function start(...behaviours: ('serves' | 'expires' | 'silent')[]) {
    const servers: ScriptedServer[] = [];
    for (const behaviour of behaviours) servers.push(await ScriptedServer.start(behaviour));
    const survivor = new Survivor(
      servers.map(({ address }) => address),
      0,
      TIMEOUT_MS,
    );
    cleanups.push(() => survivor.close(), ...servers.map((server) => () => server.end()));
    await survivor.connected();
    return { survivor, servers };
  }

  test('takes its session and its watches to the next server', async () => {
    const { survivor, servers } = await start('serves', 'serves');
    survivor.rememberWatch('/w');
    expect(await survivor.call(get(5))).toMatchObject({ err: 0 });
    servers[0].hangUp();
    expect(await survivor.insist(get(6))).toMatchObject({ err: 0 });
    expect(servers[0].heard).toEqual(['session 0 seen 0', 'request 5']);
    expect(servers[1].heard).toEqual([`session ${SESSION_ID} seen 77`, 'watches /w since 77', 'request 6']);
    expect(survivor.sessionsLost).toBe(0);
  });

  test('goes on past a server that is not there', async () => {
    const { survivor, servers } = await start('serves', 'serves', 'serves');
    await servers[1].end();
    servers[0].hangUp();
    await survivor.insist(get(6));
    expect(servers[2].heard).toContain('request 6');
  });

  test('a request without an answer is lost with the connection', async () => {
    const { survivor, servers } = await start('silent', 'serves');
    const call = survivor.call(get(5));
    servers[0].hangUp();
    await expect(call).rejects.toBeInstanceOf(ConnectionLost);
  });

  test('counts a session that was ended, and begins a new one', async () => {
    const { survivor, servers } = await start('serves', 'expires');
    servers[0].hangUp();
    await survivor.insist(get(6));
    expect(survivor.sessionsLost).toBe(1);
    expect(servers[1].heard[0]).toBe(`session ${SESSION_ID} seen 0`);
    expect(servers[0].heard).toContain('session 0 seen 0');
  });
});
