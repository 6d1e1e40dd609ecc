// The wire as data. A record is described once; from the description come its TypeScript types and its codecs.
//
//   const GetDataRequest = record({ path: ustring, watch: bool });
//   Infer<typeof GetDataRequest>  = { path: string; watch: boolean }        values that live on: used by the SDK
//   View<typeof GetDataRequest>   = { path: Slice | null; watch: boolean }  a view of the frame, nothing copied: used
//                                                                           by the server on its hot path
//
// A long is a bigint to the SDK and a number to the server, whose own ids are safe integers by construction.
// Strings and vectors that ZooKeeper's clients never send as null are not nullable in `Infer`, but every view is: what
// a stranger sends is decided by the operation, with a proper error.

import type { JuteReader } from './reader.js';
import type { Slice } from './slice.js';
import type { JuteWriter } from './writer.js';

/** One wire type: how its value is read, viewed and written. */
export interface Type<Value, Viewed = Value> {
  read(reader: JuteReader): Value;
  view(reader: JuteReader): Viewed;
  write(writer: JuteWriter, value: Value): void;
}

export type Infer<T> = T extends Type<infer Value, infer _Viewed> ? Value : never;
export type View<T> = T extends Type<infer _Value, infer Viewed> ? Viewed : never;

export const bool: Type<boolean> = {
  read: (reader) => reader.bool(),
  view: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
};

export const int: Type<number> = {
  read: (reader) => reader.int(),
  view: (reader) => reader.int(),
  write: (writer, value) => writer.int(value),
};

export const long: Type<bigint, number> = {
  read: (reader) => reader.long(),
  view: (reader) => reader.longNumber(),
  write: (writer, value) => writer.long(value),
};

/** A string that is never null between well-behaved peers; a null one reads as the empty string. */
export const ustring: Type<string, Slice | null> = {
  read: (reader) => reader.ustring() ?? '',
  view: (reader) => reader.slice(),
  write: (writer, value) => writer.ustring(value),
};

export const buffer: Type<Uint8Array | null, Slice | null> = {
  read: (reader) => reader.buffer(),
  view: (reader) => reader.slice(),
  write: (writer, value) => writer.buffer(value),
};

/** A vector; null reads as empty and views as null. */
export function vector<Value, Viewed>(element: Type<Value, Viewed>): Type<Value[], Viewed[] | null> {
  return {
    read(reader) {
      const items: Value[] = [];
      for (let left = reader.vectorLength(); left > 0; left--) items.push(element.read(reader));
      return items;
    },
    view(reader) {
      const length = reader.vectorLength();
      if (length < 0) return null;
      const items: Viewed[] = [];
      for (let left = length; left > 0; left--) items.push(element.view(reader));
      return items;
    },
    write(writer, value) {
      writer.int(value.length);
      for (const item of value) element.write(writer, item);
    },
  };
}

type Fields = Record<string, unknown>;
type InferFields<F extends Fields> = { -readonly [K in keyof F]: Infer<F[K]> };
type ViewFields<F extends Fields> = { -readonly [K in keyof F]: View<F[K]> };

/** A record: its fields in wire order, which is the order they are written down. */
export function record<const F extends Fields>(fields: F): Type<InferFields<F>, ViewFields<F>> & { fields: F } {
  const entries = Object.entries(fields) as [string, Type<unknown, unknown>][];
  // One literal shape a record type, filled in order, so that V8 gives all its values one hidden class.
  const shape = Object.fromEntries(entries.map(([name]) => [name, undefined])) as Record<string, unknown>;
  return {
    fields,
    read(reader) {
      const value = { ...shape };
      for (let i = 0; i < entries.length; i++) value[entries[i][0]] = entries[i][1].read(reader);
      return value as InferFields<F>;
    },
    view(reader) {
      const value = { ...shape };
      for (let i = 0; i < entries.length; i++) value[entries[i][0]] = entries[i][1].view(reader);
      return value as ViewFields<F>;
    },
    write(writer, value) {
      for (let i = 0; i < entries.length; i++) {
        entries[i][1].write(writer, (value as Record<string, unknown>)[entries[i][0]]);
      }
    },
  };
}
