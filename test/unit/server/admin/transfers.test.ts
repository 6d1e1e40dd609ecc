/** Snapshot and restore over HTTP, asked over sockets; the server behind them is made up. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Acl } from '../../../../protocol/client/records.js';
import { hex } from '../../../../protocol/ids.js';
import { HttpPort } from '../../../../src/server/admin/http-port.js';
import { SnapshotError, type SnapshotSource } from '../../../../src/server/admin/snapshot/format.js';
import { type TransferHost, Transfers } from '../../../../src/server/admin/transfers.js';
import { createAuthenticate, digestId } from '../../../../src/server/auth.js';
import { loadConfig } from '../../../../src/server/config/index.js';
import type { Logger } from '../../../../src/server/logging.js';
import { StorageError } from '../../../../src/server/storage/index.js';
import { bytesOf, EPOCH, newDirectory, ROWS, removeDirectories, sourceOf } from './snapshot/fixtures.js';

const authenticate = createAuthenticate({
  superDigest: digestId('admin:secret'),
  digestAlgorithm: 'SHA1',
  digestEnabled: true,
});
const ADMIN = { authorization: 'digest admin:secret' };
const LAST_ZXID = 5 * EPOCH + 4;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

class Scene implements AsyncDisposable {
  readonly directory = newDirectory();
  readonly log: string[] = [];
  readonly received: Buffer[] = [];
  readonly sources: { isClosed: boolean }[] = [];
  nowMs = 0;
  serving = true;
  committed = LAST_ZXID;
  acl: Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  databaseBytes = 1000;
  openSnapshot: () => Promise<SnapshotSource> = async () => {
    const source = sourceOf(ROWS);
    this.sources.push(source);
    return source;
  };
  restore: TransferHost['restore'] = async (stream) => {
    for await (const chunk of stream) this.received.push(Buffer.from(chunk));
    return { lastZxid: LAST_ZXID, setAside: '/old' };
  };
  private port!: HttpPort;
  private address = '';

  static async open(options: Record<string, string> = {}, member = false): Promise<Scene> {
    const scene = new Scene();
    const { config } = loadConfig({ flags: { dataDir: scene.directory, ...options }, env: {} });
    const note = (level: string) => (message: string) => void scene.log.push(`${level} ${message}`);
    const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
    const host: TransferHost = {
      authenticate,
      isServing: () => scene.serving,
      rootAcl: () => scene.acl,
      committedZxid: () => scene.committed,
      openSnapshot: () => scene.openSnapshot(),
      databaseBytes: () => scene.databaseBytes,
      restore: member ? null : (stream) => scene.restore?.(stream) ?? Promise.reject(new Error('none')),
    };
    const transfers = new Transfers(config, host, logger, () => scene.nowMs);
    scene.port = new HttpPort(
      {
        host: '127.0.0.1',
        port: 0,
        idleTimeoutMs: config.adminIdleTimeoutMs,
        portOption: 'p',
        addressOption: 'a',
        offSwitch: 'o',
        takeOver: (path, req, res) => transfers.handle(path.slice(1), req, res),
      },
      () => ({ status: 200, contentType: 'text/plain', body: 'others' }),
      logger,
    );
    scene.address = await scene.port.listen();
    return scene;
  }

  ask(method: string, path: string, headers: Record<string, string> = ADMIN, body?: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(`http://${this.address}${path}`, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          const isJson = whole.length > 0 && response.headers['content-type']?.includes('json');
          const json = isJson ? JSON.parse(whole.toString()) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, json });
        });
      });
      sent.on('error', reject);
      if (headers.expect === undefined) sent.end(body);
      else sent.on('continue', () => sent.end(body));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.port.close();
  }
}

afterEach(removeDirectories);

describe('snapshot', () => {
  test('is given out as a stream, with its zxid and size in the headers; nothing stays on the disk', async () => {
    await using scene = await Scene.open();
    const { status, headers, body } = await scene.ask('GET', '/snapshot');
    expect(status).toBe(200);
    expect(body.equals(await bytesOf(sourceOf(ROWS)))).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(body.length),
      last_zxid: hex(LAST_ZXID),
      snapshot_size: String(body.length),
    });
    expect(readdirSync(scene.directory)).toEqual([]);
    expect(scene.sources.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test('stays in dataDir with streaming=false', async () => {
    await using scene = await Scene.open();
    const { status, headers, json } = await scene.ask('GET', '/snap?streaming=false');
    const name = `snapshot.${LAST_ZXID.toString(16)}`;
    const size = readFileSync(`${scene.directory}/${name}`).length;
    expect(status).toBe(200);
    expect(headers.last_zxid).toBe(hex(LAST_ZXID));
    expect(json).toEqual({
      command: 'snapshot',
      error: null,
      last_zxid: hex(LAST_ZXID),
      snapshot_size: size,
      file: `${scene.directory}/${name}`,
    });
    expect(readdirSync(scene.directory)).toEqual([name]);
  });

  test('ends at what is committed', async () => {
    await using scene = await Scene.open();
    scene.committed = 3 * EPOCH + 13;
    expect((await scene.ask('GET', '/snapshot')).headers.last_zxid).toBe(hex(3 * EPOCH + 13));
  });

  test('a database that cannot be read is a 500, leaves nothing, and is told', async () => {
    await using scene = await Scene.open();
    scene.openSnapshot = async () => ({
      ...sourceOf(ROWS),
      batches: async function* () {
        yield ROWS.batches;
        throw new StorageError('DAMAGED', 'A page fails its checksum.');
      },
    });
    const { status, json } = await scene.ask('GET', '/snapshot');
    expect([status, json.error]).toEqual([500, 'A page fails its checksum.']);
    expect(readdirSync(scene.directory)).toEqual([]);
    expect(scene.log).toEqual([expect.stringMatching(/^error the admin command snapshot failed/)]);
  });

  test('a disk without room for it is a 507 before anything is written', async () => {
    await using scene = await Scene.open();
    scene.databaseBytes = 1e18;
    expect((await scene.ask('GET', '/snapshot')).status).toBe(507);
    expect(scene.sources).toEqual([]);
  });
});

describe('restore', () => {
  test('hands the body to the server, and tells where the old database is', async () => {
    await using scene = await Scene.open();
    const { status, json } = await scene.ask('POST', '/restore', ADMIN, Buffer.alloc(500_000, 7));
    expect([status, json]).toEqual([
      200,
      { command: 'restore', error: null, last_zxid: hex(LAST_ZXID), replaced: '/old' },
    ]);
    expect(Buffer.concat(scene.received).equals(Buffer.alloc(500_000, 7))).toBe(true);
  });

  test('who asks before sending hears yes or no first', async () => {
    await using scene = await Scene.open();
    const body = Buffer.alloc(1000, 1);
    const headers = { expect: '100-continue', 'content-length': '1000' };
    expect((await scene.ask('POST', '/rest', headers, body)).status).toBe(401);
    expect((await scene.ask('POST', '/other', headers, body)).status).toBe(405);
    expect((await scene.ask('POST', '/rest', { ...ADMIN, ...headers }, body)).status).toBe(200);
    expect(Buffer.concat(scene.received).length).toBe(1000);
  });

  test.each([
    [400, new SnapshotError('a record is damaged')],
    [507, new StorageError('FULL', 'no room')],
    [500, new Error('something else')],
  ])('%i for what cannot be restored', async (status, error) => {
    await using scene = await Scene.open();
    scene.restore = () => Promise.reject(error);
    const answer = await scene.ask('POST', '/restore', ADMIN, Buffer.alloc(10));
    expect([answer.status, answer.json.error]).toEqual([status, error.message]);
  });

  test('is refused on a member of an ensemble, with the reason', async () => {
    await using scene = await Scene.open({}, true);
    const { status, json } = await scene.ask('POST', '/restore', ADMIN, Buffer.alloc(10));
    expect([status, json.error]).toEqual([409, expect.stringContaining('one replica must not differ')]);
    expect((await scene.ask('GET', '/snapshot')).status).toBe(200);
  });
});

describe('both', () => {
  test('are for administrators', async () => {
    await using scene = await Scene.open();
    const open = async (method: string, path: string, authorization?: string) =>
      (await scene.ask(method, path, authorization === undefined ? {} : { authorization })).status;
    for (const [method, path] of [
      ['GET', '/snapshot'],
      ['POST', '/restore'],
    ] as const) {
      expect(await open(method, path)).toBe(401);
      expect(await open(method, path, 'digest')).toBe(401);
      expect(await open(method, path, 'digest eve:eve')).toBe(403);
    }
    scene.acl = [{ perms: 31, id: { scheme: 'digest', id: digestId('bob:pw') } }];
    expect(await open('GET', '/snapshot', 'digest bob:pw')).toBe(200);
    expect(scene.received).toEqual([]);
  });

  test('have a method each, and leave other paths alone', async () => {
    await using scene = await Scene.open();
    expect((await scene.ask('POST', '/snapshot')).headers.allow).toBe('GET');
    expect((await scene.ask('GET', '/restore')).headers.allow).toBe('POST');
    expect((await scene.ask('HEAD', '/snapshot')).status).toBe(405);
    expect((await scene.ask('GET', '/snapshotx')).body.toString()).toBe('others');
  });

  test('are rare: within the interval 429 says how long to wait, each for itself', async () => {
    await using scene = await Scene.open({ 'admin.rateLimiterIntervalInMS': '60000' });
    expect((await scene.ask('GET', '/snapshot')).status).toBe(200);
    scene.nowMs = 59_001;
    const { status, headers } = await scene.ask('GET', '/snapshot');
    expect([status, headers['retry-after']]).toEqual([429, '1']);
    expect((await scene.ask('POST', '/restore')).status).toBe(200);
    scene.nowMs = 60_000;
    expect((await scene.ask('GET', '/snapshot')).status).toBe(200);
  });

  test('what was refused does not count as one', async () => {
    await using scene = await Scene.open();
    expect((await scene.ask('GET', '/snapshot', {})).status).toBe(401);
    expect((await scene.ask('GET', '/snapshot')).status).toBe(200);
  });

  test('one at a time', async () => {
    await using scene = await Scene.open({ 'admin.rateLimiterIntervalInMS': '0' });
    let finish!: () => void;
    const begun = new Promise<void>((begin) => {
      scene.restore = async () => {
        begin();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return { lastZxid: 1, setAside: '/old' };
      };
    });
    const first = scene.ask('POST', '/restore');
    await begun;
    const { status, json } = await scene.ask('GET', '/snapshot');
    expect([status, json.error]).toEqual([429, 'a restore is under way']);
    finish();
    expect((await first).status).toBe(200);
    expect((await scene.ask('GET', '/snapshot')).status).toBe(200);
  });

  test('can be switched off, and are not there while nobody is served', async () => {
    await using off = await Scene.open({ 'admin.snapshot.enabled': 'false', 'admin.restore.enabled': 'false' });
    expect((await off.ask('GET', '/snapshot')).status).toBe(503);
    expect((await off.ask('POST', '/restore')).json.error).toContain('admin.restore.enabled');
    await using scene = await Scene.open();
    scene.serving = false;
    expect((await scene.ask('GET', '/snapshot')).status).toBe(503);
    expect(existsSync(scene.directory)).toBe(true);
  });
});
