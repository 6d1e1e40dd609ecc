import type { Client } from '../../../client/index.js';
import { defineCommand, flag, operand, textFlag } from '../command.js';
import { ExitCode } from '../errors.js';
import { aclJson, dataJson } from '../format.js';
import { moved, type NodeImage, readImages } from '../node-images.js';

const SHOWN_CHARACTERS_MAX = 60;

interface Difference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'data' | 'acl';
  readonly left?: unknown;
  readonly right?: unknown;
}

export const diff = defineCommand({
  name: 'diff',
  summary: 'Compares two subtrees, data and ACLs; exit code 1 when they differ.',
  flags: { a: flag('without the ACLs'), S: textFlag('server', 'the right one is on this server') },
  operands: { left: operand('a node'), right: operand('the other one') },
  examples: ['diff /app /app-copy', 'diff -S zk2:2181 /app /app'],
  async run({ client, session, signal, style }, { a: withoutAcls, S: server }, { left, right }) {
    const other = server === undefined ? undefined : session.another(server);
    try {
      await other?.connected({ signal });
      const lefts = await imagesBelow(client, left, signal);
      const rights = await imagesBelow(other ?? client, right, signal);
      const differences = [...compare(lefts, rights, withoutAcls !== true)];
      const same = differences.length === 0;
      return {
        lines: differences.flatMap((each) => describe(each, style.content)),
        json: { left, right, same, differences },
        exitCode: same ? ExitCode.ok : ExitCode.failed,
      };
    } finally {
      await other?.close();
    }
  },
});

/** By their path below the root, which itself is `/`. */
async function imagesBelow(client: Client, root: string, signal: AbortSignal): Promise<Map<string, NodeImage>> {
  const images = new Map<string, NodeImage>();
  for await (const image of readImages(client, root, signal)) images.set(moved(image.path, root, '/'), image);
  return images;
}

function* compare(
  lefts: ReadonlyMap<string, NodeImage>,
  rights: ReadonlyMap<string, NodeImage>,
  withAcls: boolean,
): Generator<Difference> {
  for (const path of [...new Set([...lefts.keys(), ...rights.keys()])].sort()) {
    const left = lefts.get(path);
    const right = rights.get(path);
    if (left === undefined || right === undefined) yield { path, change: left === undefined ? 'added' : 'removed' };
    else {
      yield* unlessEqual(path, 'data', dataJson(left.data), dataJson(right.data));
      if (withAcls) yield* unlessEqual(path, 'acl', aclJson(left.acl), aclJson(right.acl));
    }
  }
}

function* unlessEqual(path: string, change: 'data' | 'acl', left: unknown, right: unknown): Generator<Difference> {
  if (JSON.stringify(left) !== JSON.stringify(right)) yield { path, change, left, right };
}

function describe({ path, change, left, right }: Difference, content: (text: string) => string): string[] {
  if (change === 'added' || change === 'removed') return [content(`${change === 'added' ? '+' : '-'} ${path}`)];
  return [content(`~ ${path}  ${change}`), `  - ${content(short(left))}`, `  + ${content(short(right))}`];
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS_MAX
    ? text
    : `${text.slice(0, SHOWN_CHARACTERS_MAX)}… (${text.length} characters)`;
}
