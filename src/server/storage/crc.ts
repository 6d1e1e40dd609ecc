/**
 * CRC-32 (the one of zlib, polynomial 0xEDB88320) of everything that is stored.
 *
 * SQLite checks the frames of its WAL but not the pages of the database file, so each row carries a sum over its bytes
 * and its key: a row that turns up under another key is as wrong as one with a flipped bit. zlib's own implementation
 * is used where Node has it (20.15 and later), a table otherwise.
 */
import * as zlib from 'node:zlib';
import { damaged } from './errors.js';

/** CRC-32 of `bytes`, going on from `seed` (the CRC of what precedes them; default 0). */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The implementation for Nodes without `zlib.crc32`. */
export const crc32ByTable: Crc32 = (bytes, seed = 0) => {
  let crc = ~seed;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
};

const native: Crc32 | undefined = 'crc32' in zlib ? zlib.crc32 : undefined;

/** zlib answers 0 for an empty array without a backing store, whatever the seed; nothing added means nothing changed. */
export const crc32: Crc32 = native
  ? (bytes, seed = 0) => (bytes.length === 0 ? seed : native(bytes, seed))
  : crc32ByTable;

const keyNumbers = new Float64Array(3);
const keyBytes = new Uint8Array(keyNumbers.buffer);

/**
 * Sum of a row: up to three numbers of its key (zxids, page id, generation), then its bytes. Throws DAMAGED when they are
 * none: in SQLite each value carries its own type, and a flipped bit can make null of it, whatever the schema says.
 */
export function rowCrc(bytes: Uint8Array, first: number, second: number, third = 0): number {
  verifyBytes(bytes);
  keyNumbers[0] = first;
  keyNumbers[1] = second;
  keyNumbers[2] = third;
  return crc32(bytes, crc32(keyBytes));
}

/** Throws DAMAGED when what was read of the database is not bytes. */
export function verifyBytes(value: unknown): void {
  if (!(value instanceof Uint8Array)) throw damaged('a row has something else where its bytes were');
}
