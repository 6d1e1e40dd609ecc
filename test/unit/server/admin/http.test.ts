// The HTTP ports of real servers, asked over sockets.

import { request } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { Writable } from 'node:stream';
import { type Client, connect } from '../../../../src/client/index.js';
import { ADMIN_COMMANDS } from '../../../../src/server/admin/commands.js';
import { adminRoute } from '../../../../src/server/admin/http.js';
import type { ServerFacts } from '../../../../src/server/admin/server-facts.js';
import { loadConfig } from '../../../../src/server/config/index.js';
import { startTestServer, type TestServer } from '../../../../src/testing/index.js';
import { freePort } from '../../../helpers/ports.js';

const SECRET = 'super:c2VjcmV0aGFzaA==';
const DEFAULT_PORT = 9141;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(port: number, path: string, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

type Json = Record<string, unknown>;

let server: TestServer;
let client: Client;
let admin: number;
let metricsOnly: number;
let session: string;
beforeAll(async () => {
  admin = await freePort();
  metricsOnly = await freePort();
  server = await startTestServer({
    config: {
      'admin.enableServer': 'true',
      'admin.serverPort': String(admin),
      'metricsProvider.className': 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
      'metricsProvider.httpHost': '127.0.0.1',
      'metricsProvider.httpPort': String(metricsOnly),
      'DigestAuthenticationProvider.superDigest': SECRET,
    },
  });
  client = await connect(server.connectString);
  await client.create('/ephemeral', 'x', { ephemeral: true });
  const events = client.watch('/watched', { recursive: true });
  await events.ready;
  session = String((await get('cons')).connections[0].session_id);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

async function get(command: string): Promise<ReturnType<typeof JSON.parse>> {
  const { status, headers, body } = await ask(admin, `/commands/${command}`);
  expect(headers['content-type']).toContain('application/json');
  expect(status).toBe(200);
  return JSON.parse(body);
}

const number = expect.any(Number);
const STATISTICS = {
  version: expect.stringMatching(/^3\.9\.5-zabra-/),
  read_only: false,
  server_stats: expect.objectContaining({
    server_state: 'standalone',
    packets_received: number,
    data_dir_size: number,
  }),
  client_response: { last_buffer_size: number, min_buffer_size: number, max_buffer_size: number },
  node_count: number,
};
const CONNECTION = {
  remote_socket_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  interest_ops: 1,
  outstanding_requests: 0,
  packets_received: number,
  packets_sent: number,
};

/** Every command with its aliases and the fields of its answer beside `command` and `error`. */
const SHAPES: readonly (readonly [names: string, fields: () => Json])[] = [
  [
    'configuration|conf|config',
    () => expect.objectContaining({ client_port: 0, data_dir: expect.any(String), tick_time: 200, server_id: 0 }),
  ],
  [
    'connections|cons',
    () => ({
      connections: [expect.objectContaining({ ...CONNECTION, session_id: Number(session), session_timeout: number })],
      secure_connections: [],
    }),
  ],
  ['dirs', () => ({ datadir_size: number, logdir_size: number })],
  [
    'dump',
    () => ({
      expiry_time_to_session_ids: expect.objectContaining({}),
      session_id_to_ephemeral_paths: { [session]: ['/ephemeral'] },
    }),
  ],
  ['environment|env|envi', () => expect.objectContaining({ 'java.version': process.versions.node })],
  ['get_trace_mask|gtmk', () => ({ tracemask: 306 })],
  ['hash', () => ({ digests: [{ zxid: number, digest: expect.anything() }] })],
  ['initial_configuration|icfg', () => ({ initial_configuration: expect.stringContaining('tickTimeMs=200\n') })],
  ['is_read_only|isro', () => ({ read_only: false })],
  ['last_snapshot|lsnp', () => ({ zxid: 'ffffffffffffffff', timestamp: -1 })],
  ['leader|lead', () => ({ is_leader: true })],
  [
    'monitor|mntr',
    () => expect.objectContaining({ server_state: 'standalone', znode_count: number, avg_latency: number }),
  ],
  ['observers|obsr', () => ({ synced_observers: 0, observers: [] })],
  ['ruok', () => ({})],
  ['server_stats|srvr', () => STATISTICS],
  ['stats|stat', () => ({ ...STATISTICS, connections: [CONNECTION], secure_connections: [] })],
  [
    'system_properties|sysp',
    () =>
      expect.objectContaining({
        'zookeeper.tickTime': '200',
        'zookeeper.DigestAuthenticationProvider.superDigest': '<hidden>',
        'java.version': process.versions.node,
      }),
  ],
  ['voting_view', () => ({ current_config: {} })],
  ['watches|wchc', () => ({ session_id_to_watched_paths: { [session]: ['/watched'] } })],
  ['watches_by_path|wchp', () => ({ path_to_session_ids: { '/watched': [Number(session)] } })],
  ['watch_summary|wchs', () => ({ num_connections: 1, num_paths: 1, num_total_watches: 1 })],
  ['zabstate', () => ({ voting: false, zabstate: '' })],
];

describe('commands', () => {
  test('every one is tested below', () => {
    const names = ADMIN_COMMANDS.map(({ name, aliases }) => [name, ...aliases].join('|'));
    expect(SHAPES.map(([each]) => each)).toEqual(names);
  });

  test.each(SHAPES)('%s', async (names, fields) => {
    const [name = '', ...aliases] = names.split('|');
    for (const each of [name, ...aliases]) {
      const { command, error, ...rest } = await get(each);
      expect({ command, error }).toEqual({ command: name, error: null });
      expect(rest).toEqual(fields());
    }
  });

  test('are listed', async () => {
    for (const path of ['/commands', '/commands/', '/commands?x=1']) {
      const { status, body } = await ask(admin, path);
      expect(status).toBe(200);
      expect(JSON.parse(body).commands).toContainEqual({
        name: 'monitor',
        aliases: ['mntr'],
        path: '/commands/monitor',
      });
    }
  });

  test.each([
    ['connection_stat_reset', 'the four-letter word crst does it'],
    ['crst', 'the four-letter word crst does it'],
    ['stat_reset', 'the four-letter word srst does it'],
    ['set_trace_mask', 'the four-letter word stmk does it'],
  ])('%s would change something and is refused', async (name, instead) => {
    const { status, body } = await ask(admin, `/commands/${name}`);
    expect(status).toBe(403);
    expect(JSON.parse(body)).toEqual({ command: name, error: expect.stringContaining(instead) });
  });

  test('no answer has the secret of the administrator', async () => {
    for (const { name } of ADMIN_COMMANDS) {
      expect((await ask(admin, `/commands/${name}`)).body).not.toContain(SECRET.slice(6));
    }
    expect((await get('icfg')).initial_configuration).toContain('superDigest=<hidden>');
  });
});

describe('requests', () => {
  test.each(['/', '/commands/nothing', '/commands/__proto__', '/other', '/%zz', '/commandsruok'])(
    '%s is not there, and the answer says what is',
    async (path) => {
      const { status, body } = await ask(admin, path);
      expect(status).toBe(404);
      expect(JSON.parse(body).paths).toEqual(expect.arrayContaining(['/readyz', '/commands/ruok']));
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed, and ends the connection', async (method) => {
    const { status, headers, body } = await ask(admin, '/commands/ruok', method, 'x=1');
    expect([status, headers.allow, headers.connection]).toEqual([405, 'GET, HEAD', 'close']);
    expect(JSON.parse(body).error).toContain('only GET and HEAD');
  });

  test('HEAD has the head of GET', async () => {
    const { status, headers, body } = await ask(admin, '/commands/ruok', 'HEAD');
    const got = await ask(admin, '/commands/ruok');
    expect([status, headers['content-length'], body]).toEqual([200, String(got.body.length), '']);
  });

  test('a head without measure is refused, and the next request answered', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connectSocket(admin, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(received));
      socket.write(`GET /livez HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`);
    });
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect((await ask(admin, '/livez')).status).toBe(200);
  });
});

test('checks are green while clients are served', async () => {
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask(admin, '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
});

describe('while no clients are served', () => {
  const facts = { serving: false, traceMask: 306n, environment: () => [] } as Partial<ServerFacts> as ServerFacts;
  const route = adminRoute(loadConfig({ env: {} }).config, () => facts);

  test.each([
    ['/livez', 200],
    ['/readyz', 503],
    ['/commands/ruok', 200],
    ['/commands/gtmk', 200],
    ['/commands/mntr', 503],
    ['/commands/stat', 503],
  ])('%s answers %i', (path, status) => {
    expect(route(path).status).toBe(status);
  });
});

describe('metrics', () => {
  test('are in the format of Prometheus, on both ports', async () => {
    for (const port of [admin, metricsOnly]) {
      const { status, headers, body } = await ask(port, '/metrics');
      expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      const lines = body.trimEnd().split('\n');
      for (const line of lines) {
        expect(line).toMatch(
          /^(# TYPE [a-z][a-z0-9_]* (gauge|counter|summary)|[a-z][a-z0-9_]*(\{quantile="[\d.]+"\})? -?[\d.e+-]+)$/,
        );
      }
      const types = lines.filter((line) => line.startsWith('#'));
      expect(new Set(types).size).toBe(types.length);
      expect(body).toMatch(/^# TYPE znode_count gauge\nznode_count [1-9]/m);
      expect(body).toMatch(/^# TYPE commit_count counter\ncommit_count [1-9]/m);
      expect(body).toMatch(/^# TYPE fsynctime summary\nfsynctime_count [1-9]\d*\nfsynctime_sum [\d.]+$/m);
    }
  });

  test('their own port has nothing else', async () => {
    expect((await ask(metricsOnly, '/commands/ruok')).status).toBe(404);
  });
});

describe('starting', () => {
  const on = (config: Record<string, string>, log?: Writable) =>
    startTestServer({ config: { 'admin.enableServer': 'true', ...config }, ...(log === undefined ? {} : { log }) });

  test('a port that was asked for and is taken stops the start, and says which option', async () => {
    const clientPort = String(await freePort());
    await expect(on({ clientPort, 'admin.serverPort': String(admin) })).rejects.toThrow(
      `admin.serverPort: 127.0.0.1:${admin} is used by another program`,
    );
    // Nothing is left behind: the client port is free again.
    await using next = await on({ clientPort, 'admin.serverPort': '0' });
    expect(next.port).toBe(Number(clientPort));
  });

  test('the default port is a matter of luck: taken, the server goes without and says so', async () => {
    const records: string[] = [];
    const log = new Writable({
      write: (chunk, _, done) => {
        records.push(String(chunk));
        done();
      },
    });
    await using _first = await on({});
    await using second = await on({}, log);
    expect(second.port).toBeGreaterThan(0);
    expect(records.join('')).toContain(`no HTTP admin port: `);
    expect(records.join('')).toContain(`127.0.0.1:${DEFAULT_PORT} is used by another program`);
  });

  test('another prefix', async () => {
    const port = await freePort();
    await using _server = await on({ 'admin.serverPort': String(port), 'admin.commandURL': '/zk/' });
    expect((await ask(port, '/zk/ruok')).status).toBe(200);
    expect((await ask(port, '/commands/ruok')).status).toBe(404);
  });

  test('a connection that asks nothing is closed after admin.idleTimeout', async () => {
    const port = await freePort();
    await using _server = await on({ 'admin.serverPort': String(port), 'admin.idleTimeout': '100' });
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve)); // the default, 30 s, is beyond the test's patience
  });

  test('stops with the server, also with a connection left open', async () => {
    const port = await freePort();
    const own = await on({ 'admin.serverPort': String(port) });
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    await own.stop();
    await closed;
    await expect(ask(port, '/livez')).rejects.toThrow('ECONNREFUSED');
  });
});
