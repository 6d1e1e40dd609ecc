// A subtree as JSON lines: one that says what it is, then one a node, each parent before its children.
//
//   {"zabraExport":1,"root":"/app"}
//   {"path":"/app","data":"on","acl":[{"scheme":"world","id":"anyone","perms":"cdrwa"}],"counter":12}
//   {"path":"/app/bytes","data":{"base64":"/wA="},"acl":[…]}
//
// `counter` is what the next sequential child is numbered, `ephemeral` the session of a node that belongs to one. Data
// that are no UTF-8 are base64; null is a node without data. What no client can see, no client can export: that a node is
// a container or has a TTL.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Acl } from '../../client/index.js';
import { HintedError } from './errors.js';
import { aclJson, type DataJson, dataJson, hex, parsePerms } from './format.js';
import { childrenCreated, type NodeImage } from './node-images.js';

const VERSION = 1;

export interface ExportHeader {
  readonly zabraExport: number;
  readonly root: string;
}

export interface ExportedNode {
  readonly path: string;
  readonly data: DataJson;
  readonly acl: readonly { readonly scheme: string; readonly id: string; readonly perms: string }[];
  readonly counter?: number;
  readonly ephemeral?: string;
}

export async function* exported(
  root: string,
  images: AsyncIterable<NodeImage>,
): AsyncGenerator<ExportHeader | ExportedNode> {
  let isFirst = true;
  for await (const { path, data, acl, stat } of images) {
    if (isFirst) yield { zabraExport: VERSION, root };
    isFirst = false;
    const counter = childrenCreated(stat);
    yield {
      path,
      data: dataJson(data),
      acl: aclJson(acl),
      ...(counter > 0 ? { counter } : {}),
      ...(stat.ephemeralOwner === 0n ? {} : { ephemeral: hex(stat.ephemeralOwner) }),
    };
  }
}

/** Throws for a file that is none of ours, with the line. */
export async function readExport(file: string): Promise<{ root: string; nodes: AsyncGenerator<ExportedNode> }> {
  const lines = createInterface({ input: createReadStream(file) })[Symbol.asyncIterator]();
  const refuse = (line: number, why: string): never => {
    throw new HintedError(`${file}, line ${line}: ${why}`, 'a file that export wrote');
  };
  const first = await lines.next();
  const header = first.done === true ? undefined : (parsed(first.value) as Partial<ExportHeader> | undefined);
  const { root } = header ?? {};
  if (header?.zabraExport !== VERSION || typeof root !== 'string') return refuse(1, 'this is no export');
  const nodes = async function* (): AsyncGenerator<ExportedNode> {
    for (let number = 2; ; number++) {
      const { done, value } = await lines.next();
      if (done === true) return;
      const node = parsed(value);
      yield isExportedNode(node) ? node : refuse(number, 'this is no node');
    }
  };
  return { root, nodes: nodes() };
}

export function dataOf({ data }: ExportedNode): Buffer | string | null {
  return typeof data === 'object' && data !== null ? Buffer.from(data.base64, 'base64') : data;
}

export function aclOf({ acl }: ExportedNode): Acl[] {
  return acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: parsePerms(perms) }));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isExportedNode(value: unknown): value is ExportedNode {
  if (typeof value !== 'object' || value === null) return false;
  const { path, data, acl } = value as Partial<ExportedNode>;
  const isData = data === null || typeof data === 'string' || typeof data?.base64 === 'string';
  return typeof path === 'string' && isData && Array.isArray(acl);
}
