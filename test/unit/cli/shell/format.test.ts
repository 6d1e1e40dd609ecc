import {
  aclLines,
  dataJson,
  dataText,
  eventText,
  hex,
  parseAcl,
  statJson,
  statLines,
  timeText,
} from '../../../../src/cli/shell/format.js';
import { COLOURED, masked, PLAIN, styleFor } from '../../../../src/cli/shell/output.js';
import { Perms, type Stat } from '../../../../src/client/index.js';

const STAT: Stat = {
  czxid: 0x1_0000_0002n,
  mzxid: 3n,
  pzxid: 0n,
  ctime: 0,
  mtime: 1_700_000_000_000,
  version: 1,
  cversion: -1,
  aversion: 2,
  ephemeralOwner: -1n,
  dataLength: 5,
  numChildren: 0,
};

test('a stat as zkCli.sh shows it', () => {
  expect(statLines(STAT, 'UTC')).toEqual([
    'cZxid = 0x100000002',
    'ctime = Thu Jan 01 00:00:00 UTC 1970',
    'mZxid = 0x3',
    'mtime = Tue Nov 14 22:13:20 UTC 2023',
    'pZxid = 0x0',
    'cversion = -1',
    'dataVersion = 1',
    'aclVersion = 2',
    'ephemeralOwner = 0xffffffffffffffff',
    'dataLength = 5',
    'numChildren = 0',
  ]);
  expect(statJson(STAT)).toMatchObject({ czxid: '0x100000002', mtime: '2023-11-14T22:13:20.000Z', version: 1 });
});

test('times in another zone, and midnight as 00', () => {
  expect(timeText(Date.UTC(2024, 6, 1, 23, 30), 'Asia/Kolkata')).toMatch(/^Tue Jul 02 05:00:00 \S+ 2024$/);
  expect(timeText(Date.UTC(2024, 0, 1), 'UTC')).toBe('Mon Jan 01 00:00:00 UTC 2024');
});

test('numbers of 64 bits are unsigned', () => {
  expect(hex(-(2n ** 63n))).toBe('0x8000000000000000');
});

test('ACLs in and out', () => {
  const text = 'world:anyone:r,digest:ann:7RJfAeIvrl4=:cdrwa,auth::rw';
  const acl = parseAcl(text);
  expect(acl).toEqual([
    { scheme: 'world', id: 'anyone', perms: Perms.READ },
    { scheme: 'digest', id: 'ann:7RJfAeIvrl4=', perms: Perms.ALL },
    { scheme: 'auth', id: '', perms: Perms.READ | Perms.WRITE },
  ]);
  expect(aclLines(acl)).toEqual(["'world,'anyone", ': r', "'digest,'ann:7RJfAeIvrl4=", ': cdrwa', "'auth,'", ': rw']);
  expect(() => parseAcl('world:anyone')).toThrow('an ACL is scheme:id:perms');
  expect(() => parseAcl('world:anyone:rwx')).toThrow('letters of cdrwa, not x');
});

test('data: null, text, and bytes that are no text', () => {
  expect([dataText(null), dataJson(null)]).toEqual(['null', null]);
  expect([dataText(Buffer.from('ü')), dataJson(Buffer.from('ü'))]).toEqual(['ü', 'ü']);
  expect(dataJson(Buffer.from([0xff, 0]))).toEqual({ base64: '/wA=' });
});

test('an event as zkCli.sh shows it', () => {
  expect(eventText({ type: 'childrenChanged', path: '/a', zxid: 5n })).toBe(
    'WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/a',
  );
});

test('colours only on a terminal that wants them; control characters never reach a terminal', () => {
  const stream = (isTTY: boolean) => ({ isTTY, write: () => true });
  expect(styleFor(stream(false), {})).toBe(PLAIN);
  expect(styleFor(stream(true), {})).toBe(COLOURED);
  expect(styleFor(stream(true), { NO_COLOR: '1' }).error('x')).toBe('x');
  expect(styleFor(stream(true), { NO_COLOR: '1' }).content('\x1b')).toBe('\\x1b');
  expect(masked('a\tb\nc\x07\x9bü😀')).toBe('a\tb\nc\\x07\\x9bü😀');
});
