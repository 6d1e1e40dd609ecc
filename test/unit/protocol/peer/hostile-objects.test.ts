/**
 * What a server of the ensemble sends, and what stands in the log on disk, is msgpack. Nothing in it can change what
 * objects of this process inherit, become one of its functions, or be taken for a batch or a message.
 */
import { Packr } from 'msgpackr';
import { ProtocolError } from '../../../../protocol/errors.js';
import { decodeBatch, encodeBatch } from '../../../../protocol/peer/codec.js';
import { RULES_VERSION } from '../../../../protocol/peer/entries.js';
import { decodePeerMessage, encodePeerMessage } from '../../../../protocol/peer/messages.js';

const packr = new Packr({ useRecords: false });
const records = new Packr({ structures: [] });

/** An object whose keys are own ones, whatever they are called. */
const poison = (...keys: string[]): unknown =>
  JSON.parse(keys.reduceRight((inner, key) => `{"${key}":${inner}}`, '{"polluted":1}'));
const POISONS = [poison('__proto__'), poison('constructor', 'prototype'), poison('a', '__proto__'), poison('toString')];

function expectClean(): void {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(([] as unknown as Record<string, unknown>).polluted).toBeUndefined();
  expect((() => {}) as unknown as Record<string, unknown>).not.toHaveProperty('polluted');
  expect(Object.keys(Object.prototype)).toEqual([]);
}

const batch = {
  firstZxid: 2 ** 32 + 1,
  timeMs: 1,
  rules: RULES_VERSION,
  flags: 0,
  operations: [1],
  sessions: [1],
  cxids: [1],
  callers: [0],
  requestEnds: [0],
  identityLists: [[{ scheme: 'ip', id: '1' }]],
  requests: new Uint8Array(0),
};
const columns = packr.unpack(encodeBatch(batch)) as unknown[];

describe.each([
  ['objects', packr],
  ['records', records],
])('as %s', (_what, encoder) => {
  test.each(POISONS.map((value) => [JSON.stringify(value), value]))(
    '%s is no batch, at the top or in a column',
    (_text, value) => {
      expect(() => decodeBatch(encoder.pack(value))).toThrow(ProtocolError);
      for (let at = 0; at < columns.length; at++) {
        const bytes = encoder.pack(columns.with(at, value));
        expect(() => decodeBatch(bytes)).toThrow(ProtocolError);
        expect(() => decodeBatch(encoder.pack(columns.with(at, [value])))).toThrow(ProtocolError);
      }
      expectClean();
    },
  );

  test.each(POISONS.map((value) => [JSON.stringify(value), value]))(
    '%s is no message, nor a part of one',
    (_text, value) => {
      expect(() => decodePeerMessage(encoder.pack(value))).toThrow(ProtocolError);
      for (let kind = 0; kind < 24; kind++) {
        for (const parts of [[value], [value, value], [[value]], [1, value], [1, 1, value]]) {
          expect(() => decodePeerMessage(encoder.pack([kind, ...parts]))).toThrow(ProtocolError);
        }
      }
      expectClean();
    },
  );
});

test('the name of a kind is no key of an object', () => {
  for (const kind of ['__proto__', 'constructor', 'propose', -1, 0.5, 1e9]) {
    expect(() => decodePeerMessage(packr.pack([kind, 1]))).toThrow(ProtocolError);
  }
});

test('identities with such names are texts like any others', () => {
  const named = { ...batch, identityLists: [[{ scheme: '__proto__', id: 'constructor' }]] };
  expect(decodeBatch(encodeBatch(named)).identityLists).toEqual(named.identityLists);
  expect(decodePeerMessage(encodePeerMessage({ type: 'ping', round: 1 }))).toEqual({ type: 'ping', round: 1 });
  expectClean();
});
