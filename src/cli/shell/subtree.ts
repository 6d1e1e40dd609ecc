// A node and all below it, each parent before its children and brothers in order. The children of the nodes that come next
// are asked for ahead, many at once, since one after the other would cost a round trip a node; no more than that is held.

import { type Client, type Stat, ZooKeeperError } from '../../client/index.js';
import { sorted } from './format.js';

const AHEAD_MAX = 256;

export interface Visited {
  readonly path: string;
  /** Below the root, which has 0. */
  readonly depth: number;
  /** Whether no brother comes after it. */
  readonly isLast: boolean;
  /** Null where the children may not be read. */
  readonly stat: Stat | null;
}

type Answer = Promise<{ children: string[]; stat: Stat | null } | null>;

interface Pending extends Omit<Visited, 'stat'> {
  answer?: Answer;
}

/**
 * Fails with NoNode or NoAuth for the root. Below it, nodes that vanish meanwhile are left out, and what stands under one
 * that may not be read is unknown: only the node itself is visited.
 * @param depthMax how far below the root to go.
 */
export async function* walk(
  client: Client,
  root: string,
  signal: AbortSignal,
  depthMax = Number.POSITIVE_INFINITY,
): AsyncGenerator<Visited> {
  const stack: Pending[] = [{ path: root, depth: 0, isLast: true }];
  for (let next = stack.at(-1); next !== undefined; next = stack.at(-1)) {
    if (next.answer === undefined) {
      for (const each of stack.slice(-AHEAD_MAX)) each.answer ??= ask(client, each, signal);
    }
    stack.pop();
    const found = await next.answer;
    if (found === undefined || found === null) continue;
    const { path, depth, isLast } = next;
    yield { path, depth, isLast, stat: found.stat };
    if (depth === depthMax) continue;
    const names = sorted(found.children).reverse();
    stack.push(...names.map((name, i) => ({ path: join(path, name), depth: depth + 1, isLast: i === 0 })));
  }
}

/** The paths alone, all of them at once. */
export async function subtree(client: Client, root: string, signal: AbortSignal): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walk(client, root, signal)) paths.push(path);
  return paths;
}

export function join(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** All that `items` gives. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function ask(client: Client, { path, depth }: Pending, signal: AbortSignal): Answer {
  const answer = client.children(path, { signal, withStat: true }).catch((error: unknown) => {
    if (depth === 0 || !ZooKeeperError.is(error, 'NoNode', 'NoAuth')) throw error;
    return error.name === 'NoNode' ? null : { children: [], stat: null };
  });
  answer.catch(() => {}); // whoever stops half way never awaits those asked for ahead
  return answer;
}
