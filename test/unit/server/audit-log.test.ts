/** The file of the audit log: lines, rotation, a disk that refuses or is too slow. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditRecord } from '../../../src/core/pipeline/audit.js';
import { AuditLog, type AuditLogOptions, openAuditLog } from '../../../src/server/audit-log.js';
import { ConfigError, loadConfig } from '../../../src/server/config/index.js';
import type { Logger } from '../../../src/server/logging.js';

let directory: string;
let lines: string[];
let logger: Logger;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-audit-'));
  lines = [];
  const note = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const fileOf = (name = 'audit.log') => join(directory, name);

function openLog(options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  return AuditLog.open({ file: fileOf(), fileBytesMax: 1e9, filesKept: 3, logger, ...options });
}

function record(number: number, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    zxid: 0x100000000 + number,
    session: 0xabc,
    user: '10.0.0.7,bob',
    ip: '10.0.0.7',
    operation: 'create',
    znode: `/n${number}`,
    ...more,
  };
}

function recordsIn(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error('it never came true');
    await sleep(10);
  }
}

test('each record is a line with the fields of ZooKeeper and an ISO time; what is not known is left out', async () => {
  const log = await openLog({ now: () => new Date(Date.UTC(2026, 0, 1)) });
  log.writeServerEvent('serverStart', 'success');
  log.write(record(1, { znodeType: 'ephemeral' }));
  log.write(record(2, { operation: 'setAcl', acl: 'world:anyone:r', error: 'NoAuth' }));
  log.write(record(3, { session: 0, user: null, ip: null, operation: 'delete', znode: '/a\nb' }));
  await log.close();
  const common = { time: '2026-01-02T03:04:05.006Z', session: '0xabc', user: '10.0.0.7,bob', ip: '10.0.0.7' };
  expect(recordsIn(fileOf())).toEqual([
    { time: '2026-01-01T00:00:00.000Z', user: expect.any(String), operation: 'serverStart', result: 'success' },
    { ...common, operation: 'create', znode: '/n1', znode_type: 'ephemeral', result: 'success', zxid: '0x100000001' },
    {
      ...common,
      operation: 'setAcl',
      znode: '/n2',
      acl: 'world:anyone:r',
      result: 'failure',
      error: 'NoAuth',
      zxid: '0x100000002',
    },
    {
      time: common.time,
      user: expect.any(String),
      operation: 'delete',
      znode: '/a\nb',
      result: 'success',
      zxid: '0x100000003',
    },
  ]);
  expect([log.written, log.dropped, lines]).toEqual([4, 0, []]);
});

test('a file is gone on with, and a line that was cut off in it does not spoil the next', async () => {
  writeFileSync(fileOf(), '{"time":"before"}\n{"time":"cut o');
  const log = await openLog();
  log.write(record(1));
  await log.close();
  expect(readFileSync(fileOf(), 'utf8')).toMatch(/^\{"time":"before"\}\n\{"time":"cut o\n\{"time":"2026.*\}\n$/);
});

test('a large file is set aside, as many as are to be kept, and no record is lost between them', async () => {
  const log = await openLog({ fileBytesMax: 1500, filesKept: 2 });
  for (let i = 0; i < 40; i++) {
    log.write(record(i));
    await until(() => log.written === i + 1);
  }
  await log.close();
  const names = ['audit.log.2', 'audit.log.1', 'audit.log'];
  const numbers = names.flatMap((name) => recordsIn(fileOf(name)).map(({ znode }) => Number(String(znode).slice(2))));
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => 40 - numbers.length + i));
  expect(numbers.length).toBeGreaterThan(15);
  expect(existsSync(fileOf('audit.log.3'))).toBe(false);
});

test('what a disk refuses waits, is written in order when it takes it again, and both are said once', async () => {
  const folder = fileOf('folder');
  mkdirSync(folder);
  const file = join(folder, 'audit.log');
  const log = await openLog({ file, fileBytesMax: 100 });
  log.write(record(1));
  await until(() => log.written === 1);
  renameSync(folder, `${folder}.gone`); // the next record begins a new file, which cannot be opened
  for (let i = 2; i < 10; i++) log.write(record(i));
  await until(() => lines.length > 0);
  await sleep(50);
  expect(lines).toEqual([expect.stringMatching(/^error the audit log cannot be written: .*wait in memory$/)]);
  renameSync(`${folder}.gone`, folder);
  await until(() => log.written === 9);
  await log.close();
  expect(lines.slice(1)).toEqual(['info the audit log is written again']);
  const all = [`${file}.1`, file].filter((name) => existsSync(name)).flatMap(recordsIn);
  expect(all.map(({ znode }) => znode)).toEqual(Array.from({ length: 9 }, (_, i) => `/n${i + 1}`));
  expect(log.dropped).toBe(0);
});

test('what does not fit into memory is dropped, counted, and said in both logs', async () => {
  const folder = fileOf('folder');
  mkdirSync(folder);
  const file = join(folder, 'audit.log');
  const log = await openLog({ file, fileBytesMax: 100, queueBytesMax: 1000 });
  log.write(record(1));
  await until(() => log.written === 1);
  renameSync(folder, `${folder}.gone`);
  for (let i = 2; i < 100; i++) log.write(record(i));
  await until(() => lines.length === 2);
  const { dropped } = log;
  expect(dropped).toBeGreaterThan(80);
  renameSync(`${folder}.gone`, folder);
  await until(() => lines.length === 4);
  await log.close();
  expect(log.written).toBe(99 - dropped);
  expect(lines[0]).toMatch(/^error the audit log drops records/);
  expect(lines[3]).toBe(`warn ${dropped} records are missing in the audit log`);
  expect(recordsIn(file).at(-1)).toMatchObject({ operation: 'recordsDropped', dropped });
});

test('a disk that takes nothing until the end does not keep the server from ending, which says what is lost', async () => {
  const folder = fileOf('folder');
  mkdirSync(folder);
  const log = await openLog({ file: join(folder, 'audit.log'), fileBytesMax: 100 });
  log.write(record(1));
  await until(() => log.written === 1);
  renameSync(folder, `${folder}.gone`);
  log.write(record(2));
  await log.close();
  log.write(record(3));
  expect(lines.at(-1)).toBe('error the audit log ends without its last 1 records: they could not be written');
  expect([log.written, log.dropped]).toEqual([1, 1]);
});

test('a file that cannot be written is found out at the start', async () => {
  const file = join(fileOf('none'), 'audit.log');
  await expect(openLog({ file })).rejects.toThrow(ConfigError);
  await expect(openLog({ file })).rejects.toThrow(/audit\.file/);
});

test('it is kept where the configuration says, and only if it says so', async () => {
  const config = (flags: Record<string, string>) => loadConfig({ flags, env: {} }).config;
  expect(await openAuditLog(config({ dataDir: directory }), logger)).toBeNull();
  const log = await openAuditLog(config({ dataDir: directory, 'audit.enable': 'true' }), logger);
  log?.writeServerEvent('serverStop', 'invoked');
  await log?.close();
  expect(recordsIn(fileOf())).toMatchObject([{ operation: 'serverStop', result: 'invoked' }]);
  const named = { dataDir: directory, 'audit.enable': 'true', 'audit.file': fileOf('other.log') };
  await (await openAuditLog(config(named), logger))?.close();
  expect(existsSync(fileOf('other.log'))).toBe(true);
});
