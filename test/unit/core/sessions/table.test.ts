import { ProtocolError } from '../../../../protocol/errors.js';
import {
  negotiate,
  nextSessionId,
  type Session,
  SessionTable,
  serverIdOf,
} from '../../../../src/core/sessions/table.js';
import { AssertionFailure } from '../../../../src/std/assert.js';

const YEAR_2026_MS = Date.UTC(2026, 0, 1);

function password(fill: number): Uint8Array {
  return new Uint8Array(16).fill(fill);
}

function tableOf(...sessions: Session[]): SessionTable {
  const table = new SessionTable();
  for (const session of sessions) table.add(session);
  return table;
}

describe('SessionTable', () => {
  test('adds, finds, lists and removes', () => {
    const one = { id: 1, timeoutMs: 4000, password: password(1) };
    const two = { id: 2 ** 52 + 5, timeoutMs: 40_000, password: password(2) };
    const table = tableOf(one, two);
    expect(table.size).toBe(2);
    expect([...table]).toEqual([one, two]);
    expect(table.get(two.id)).toEqual(two);
    expect(table.remove(1)).toBe(true);
    expect(table.remove(1)).toBe(false);
    expect(table.get(1)).toBeUndefined();
    expect([...table]).toEqual([two]);
  });

  test('keeps a copy of the password, for its bytes may lie in a buffer that is used again', () => {
    const buffer = new Uint8Array(100).fill(7);
    const table = tableOf({ id: 1, timeoutMs: 1000, password: buffer.subarray(20, 36) });
    buffer.fill(0);
    expect(table.matches(1, password(7))).toBe(true);
  });

  test('refuses what cannot be a session, and the same id twice', () => {
    const good = { id: 3, timeoutMs: 1000, password: password(0) };
    const table = tableOf(good);
    const bad: Session[] = [
      good,
      { ...good, id: 0 },
      { ...good, id: -1 },
      { ...good, id: 2 ** 53 },
      { ...good, id: 4, timeoutMs: 0 },
      { ...good, id: 4, timeoutMs: 2 ** 31 },
      { ...good, id: 4, password: new Uint8Array(15) },
    ];
    for (const session of bad) expect(() => table.add(session)).toThrow(AssertionFailure);
    expect(table.size).toBe(1);
  });

  test('matches the right password only: each byte counts, and the length', () => {
    const right = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
    const table = tableOf({ id: 9, timeoutMs: 1000, password: right });
    expect(table.matches(9, right.slice())).toBe(true);
    expect(table.matches(8, right)).toBe(false);
    expect(table.matches(9, new Uint8Array(0))).toBe(false);
    expect(table.matches(9, right.slice(0, 15))).toBe(false);
    expect(table.matches(9, Uint8Array.from([...right, 0]))).toBe(false);
    for (let i = 0; i < 16; i++) {
      const wrong = right.slice();
      wrong[i] ^= 1;
      expect(table.matches(9, wrong)).toBe(false);
    }
  });
});

describe('SessionTable encode and decode', () => {
  const sessions = [
    { id: 2 ** 53 - 1, timeoutMs: 2 ** 31 - 1, password: password(255) },
    { id: 1, timeoutMs: 1, password: password(0) },
    { id: 2 ** 45 + 2 ** 32 + 3, timeoutMs: 30_000, password: Uint8Array.from({ length: 16 }, (_, i) => i) },
  ];

  test('gives the same table again, closed sessions leaving their ids behind', () => {
    const table = tableOf(...sessions, { id: 2 ** 45 + 2 ** 40, timeoutMs: 5, password: password(5) });
    table.remove(2 ** 45 + 2 ** 40);
    const again = SessionTable.decode(table.encode());
    expect([...again]).toEqual(sessions);
    expect(again.lastIdOf(0)).toBe(1);
    expect(again.lastIdOf(1)).toBe(2 ** 45 + 2 ** 40);
    expect(again.lastIdOf(2)).toBe(0);
    expect(again.lastIdOf(255)).toBe(2 ** 53 - 1);
    expect(again.encode()).toEqual(table.encode());
    expect([...SessionTable.decode(new SessionTable().encode())]).toEqual([]);
  });

  test('load replaces everything, or nothing when the bytes are bad', () => {
    const table = tableOf({ id: 77, timeoutMs: 5, password: password(5) });
    const bytes = tableOf(...sessions).encode();
    expect(() => table.load(bytes.subarray(1))).toThrow(ProtocolError);
    expect([...table].map(({ id }) => id)).toEqual([77]);
    table.load(bytes);
    expect([...table]).toEqual(sessions);
    expect(table.lastIdOf(0)).toBe(1);
  });

  test('decodes a part of a larger buffer, and keeps nothing of it', () => {
    const bytes = tableOf(...sessions).encode();
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 7);
    const table = SessionTable.decode(larger.subarray(7, 7 + bytes.length));
    larger.fill(0);
    expect([...table]).toEqual(sessions);
  });

  test('refuses every truncation, and bytes behind the end', () => {
    const bytes = tableOf(...sessions).encode();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => SessionTable.decode(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
    expect(() => SessionTable.decode(Uint8Array.from([...bytes, 0]))).toThrow(ProtocolError);
  });

  test('refuses a version, count, id or timeout that cannot be', () => {
    const bytes = tableOf(sessions[1]).encode(); // version 0, counts 1 and 5, last id 9, session: id 17, timeout 25
    const faults: [at: number, value: number, message: string][] = [
      [0, 2, 'version 2'],
      [1, 255, 'instead of'],
      [8, 2, 'instead of'],
      [9, 1, 'last id'],
      [17, 255, 'session id'],
      [24, 0, 'session id 0'],
      [24, 2, "above its server's last id"],
      [25, 128, 'timeout'],
      [28, 0, 'timeout of 0'],
    ];
    for (const [at, value, message] of faults) {
      const damaged = bytes.slice();
      damaged[at] = value;
      expect(() => SessionTable.decode(damaged)).toThrow(message);
      expect(() => SessionTable.decode(damaged)).toThrow(ProtocolError);
    }
  });

  test('refuses a session or a server that appears twice', () => {
    const twoSessions = tableOf(sessions[1], { ...sessions[1], id: 2 }).encode();
    twoSessions.copyWithin(17 + 28, 17, 17 + 28);
    expect(() => SessionTable.decode(twoSessions)).toThrow('appears twice');
    const twoServers = tableOf(sessions[1], sessions[2]).encode();
    twoServers.copyWithin(17, 9, 17);
    expect(() => SessionTable.decode(twoServers)).toThrow('two last ids');
  });
});

describe('nextSessionId', () => {
  test('has the server on top and the wall clock below, in a safe integer', () => {
    for (const serverId of [0, 1, 127, 255]) {
      const id = nextSessionId(serverId, YEAR_2026_MS, 0);
      expect(Number.isSafeInteger(id)).toBe(true);
      expect(serverIdOf(id)).toBe(serverId);
      expect(id % 2 ** 45).toBe((YEAR_2026_MS - Date.UTC(2024, 0, 1)) * 16);
    }
  });

  test('rises by one when the clock stands still or goes back, and never repeats', () => {
    const first = nextSessionId(3, YEAR_2026_MS, 0);
    expect(nextSessionId(3, YEAR_2026_MS, first)).toBe(first + 1);
    expect(nextSessionId(3, YEAR_2026_MS - 86_400_000, first + 1)).toBe(first + 2);
    expect(nextSessionId(3, 0, first + 2)).toBe(first + 3);
    expect(nextSessionId(3, YEAR_2026_MS + 1000.7, first)).toBe(first + 16_000);
  });

  test('is never 0, which on the wire means no session', () => {
    expect(nextSessionId(0, 0, 0)).toBe(1);
  });

  test('stays in its server when the clock is beyond the counter, and stops at the end', () => {
    expect(serverIdOf(nextSessionId(1, Date.UTC(2200, 0, 1), 0))).toBe(1);
    expect(() => nextSessionId(1, YEAR_2026_MS, 2 * 2 ** 45 - 1)).toThrow(AssertionFailure);
    expect(() => nextSessionId(1, YEAR_2026_MS, 2 * 2 ** 45)).toThrow(AssertionFailure);
    for (const serverId of [-1, 256, 1.5])
      expect(() => nextSessionId(serverId, YEAR_2026_MS, 0)).toThrow(AssertionFailure);
  });
});

test('negotiate clamps to the limits of the server (E15)', () => {
  expect(negotiate(10_000, 4000, 40_000)).toBe(10_000);
  expect(negotiate(0, 4000, 40_000)).toBe(4000);
  expect(negotiate(-5, 4000, 40_000)).toBe(4000);
  expect(negotiate(2 ** 31 - 1, 4000, 40_000)).toBe(40_000);
  expect(() => negotiate(1, 2, 1)).toThrow(AssertionFailure);
});
