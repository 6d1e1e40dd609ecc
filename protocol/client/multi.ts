// multi (14) and multiRead (22): a sequence of headers, each with its record, closed by a header of type -1 (E49).
// Results come in the same shape: the operation's number with its body, or type -1 with an error code (E51, E52, E55).

import { ProtocolError } from '../errors.js';
import type { JuteReader } from '../jute/reader.js';
import { bool, type Infer, int, record, type Type, type View } from '../jute/schema.js';
import type { JuteWriter } from '../jute/writer.js';
import { OpCode } from './constants.js';
import * as R from './records.js';

export const MultiHeader = record({ type: int, done: bool, err: int });

const END = { type: -1, done: true, err: -1 };
const NO_ERROR = -1;

/** What a write multi may hold. */
const WRITES = {
  create: { code: OpCode.create, request: R.CreateRequest },
  create2: { code: OpCode.create2, request: R.CreateRequest },
  createContainer: { code: OpCode.createContainer, request: R.CreateRequest },
  createTTL: { code: OpCode.createTTL, request: R.CreateTtlRequest },
  delete: { code: OpCode.delete, request: R.DeleteRequest },
  setData: { code: OpCode.setData, request: R.SetDataRequest },
  check: { code: OpCode.check, request: R.CheckVersionRequest },
} as const;

/** What a multiRead may hold. */
const READS = {
  getData: { code: OpCode.getData, request: R.PathWatchRequest },
  getChildren: { code: OpCode.getChildren, request: R.PathWatchRequest },
} as const;

type Parts = Record<string, { readonly code: number; readonly request: Type<never, unknown> | Type<unknown, unknown> }>;
type PartOf<P> = { [N in keyof P]: P[N] extends { request: infer T } ? { op: N; request: Infer<T> } : never }[keyof P];
type PartViewOf<P> = {
  [N in keyof P]: P[N] extends { request: infer T } ? { op: N; request: View<T> } : never;
}[keyof P];

export type MultiPart = PartOf<typeof WRITES>;
export type MultiPartView = PartViewOf<typeof WRITES>;
export type MultiReadPart = PartOf<typeof READS>;
export type MultiReadPartView = PartViewOf<typeof READS>;

/** A result with the operation's number, or an error. Results of check and delete have no body. */
export type MultiResult =
  | { type: 'error'; code: number }
  | { type: 'create'; path: string }
  | { type: 'create2'; path: string; stat: R.Stat }
  | { type: 'setData'; stat: R.Stat }
  | { type: 'delete' }
  | { type: 'check' };

export type MultiReadResult =
  | { type: 'error'; code: number }
  | { type: 'getData'; data: Uint8Array | null; stat: R.Stat }
  | { type: 'getChildren'; children: string[] };

function sequence<Part, PartView>(parts: Parts, what: string): Type<Part[], PartView[]> {
  const byCode = new Map(Object.entries(parts).map(([op, part]) => [part.code, { op, request: part.request }]));
  const items = (reader: JuteReader, how: 'read' | 'view'): unknown[] => {
    const list: unknown[] = [];
    for (;;) {
      const at = reader.position;
      const header = MultiHeader.read(reader);
      if (header.done) return list;
      const part = byCode.get(header.type);
      if (part === undefined) throw new ProtocolError(`operation ${header.type} is not allowed in a ${what}`, at);
      list.push({ op: part.op, request: part.request[how](reader) });
    }
  };
  return {
    read: (reader) => items(reader, 'read') as Part[],
    view: (reader) => items(reader, 'view') as PartView[],
    write(writer, value) {
      for (const part of value as unknown as { op: string; request: never }[]) {
        const { code, request } = parts[part.op];
        MultiHeader.write(writer, { type: code, done: false, err: NO_ERROR });
        request.write(writer, part.request);
      }
      MultiHeader.write(writer, END);
    },
  };
}

export const MultiRequest = sequence<MultiPart, MultiPartView>(WRITES, 'multi');
export const MultiReadRequest = sequence<MultiReadPart, MultiReadPartView>(READS, 'multiRead');

type ResultCodec = readonly [type: string, body: Type<object> | null];

const WRITE_RESULTS = new Map<number, ResultCodec>([
  [OpCode.create, ['create', R.PathResponse]],
  [OpCode.create2, ['create2', R.PathStatResponse]],
  [OpCode.createContainer, ['create2', R.PathStatResponse]],
  [OpCode.createTTL, ['create2', R.PathStatResponse]],
  [OpCode.setData, ['setData', R.StatResponse]],
  [OpCode.delete, ['delete', null]],
  [OpCode.check, ['check', null]],
] as [number, ResultCodec][]);

const READ_RESULTS = new Map<number, ResultCodec>([
  [OpCode.getData, ['getData', R.DataResponse]],
  [OpCode.getChildren, ['getChildren', R.ChildrenResponse]],
] as [number, ResultCodec][]);

const CODE_OF_RESULT: Readonly<Record<string, number>> = {
  create: OpCode.create,
  create2: OpCode.create2,
  setData: OpCode.setData,
  delete: OpCode.delete,
  check: OpCode.check,
  getData: OpCode.getData,
  getChildren: OpCode.getChildren,
};

function results<Result extends { type: string }>(codecs: Map<number, ResultCodec>): Type<Result[]> {
  const read = (reader: JuteReader): Result[] => {
    const list: unknown[] = [];
    for (;;) {
      const at = reader.position;
      const header = MultiHeader.read(reader);
      if (header.done) return list as Result[];
      if (header.type === OpCode.error) {
        list.push({ type: 'error', code: reader.int() });
        continue;
      }
      const codec = codecs.get(header.type);
      if (codec === undefined) throw new ProtocolError(`a multi result of unknown type ${header.type}`, at);
      list.push({ type: codec[0], ...codec[1]?.read(reader) });
    }
  };
  return {
    read,
    view: read,
    write(writer, value) {
      for (const result of value) {
        if (result.type === 'error') writeMultiError(writer, (result as unknown as { code: number }).code);
        else {
          const code = CODE_OF_RESULT[result.type];
          writeMultiResultHeader(writer, code);
          codecs.get(code)?.[1]?.write(writer, result);
        }
      }
      writeMultiEnd(writer);
    },
  };
}

export const MultiResponse = results<MultiResult>(WRITE_RESULTS);
export const MultiReadResponse = results<MultiReadResult>(READ_RESULTS);

// The server writes results straight into a reply, one by one, with these.

export function writeMultiResultHeader(writer: JuteWriter, type: number): void {
  MultiHeader.write(writer, { type, done: false, err: 0 });
}

/** An error result carries its code twice: in the header and as its body (E51). */
export function writeMultiError(writer: JuteWriter, code: number): void {
  MultiHeader.write(writer, { type: OpCode.error, done: false, err: code });
  writer.int(code);
}

export function writeMultiEnd(writer: JuteWriter): void {
  MultiHeader.write(writer, END);
}
