// Quotas as zkCli.sh keeps them (E99): two nodes below /zookeeper/quota for a path, one with the limits and one with the
// figures, which the server counts. A limit of -1 is none. Soft limits are for people to look at; hard ones are enforced
// where the server is configured to do so.

import { type Client, ZooKeeperError } from '../../client/index.js';
import { subtree } from './subtree.js';

const ROOT = '/zookeeper/quota';
const LIMITS = 'zookeeper_limits';
const STATS = 'zookeeper_stats';

export interface Limits {
  readonly count: number;
  readonly bytes: number;
  readonly byteHardLimit: number;
  readonly countHardLimit: number;
}

const NO_LIMITS: Limits = { count: -1, bytes: -1, byteHardLimit: -1, countHardLimit: -1 };

export function limitsPath(path: string): string {
  return `${quotaPath(path)}/${LIMITS}`;
}

/** The limits of the path and its figures as the server's text; null when it has no quota. */
export async function readQuota(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<{ limits: Limits; stats: string } | null> {
  try {
    const { data } = await client.get(limitsPath(path), { signal });
    const stats = await client.get(`${quotaPath(path)}/${STATS}`, { signal });
    return { limits: parseLimits(String(data)), stats: String(stats.data) };
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode')) return null;
    throw error;
  }
}

/** Writes the limits, and makes what nodes are missing. Returns those that now hold. */
export async function writeQuota(
  client: Client,
  path: string,
  change: Partial<Limits>,
  signal: AbortSignal,
): Promise<Limits> {
  const before = await readQuota(client, path, signal);
  const limits = { ...(before?.limits ?? NO_LIMITS), ...change };
  if (before !== null) {
    await client.set(limitsPath(path), limitsText(limits), { signal });
    return limits;
  }
  const parents = path.split('/').slice(1);
  for (let i = 1; i <= parents.length; i++) await make(client, quotaPath(`/${parents.slice(0, i).join('/')}`), null);
  await make(client, limitsPath(path), limitsText(limits));
  await make(client, `${quotaPath(path)}/${STATS}`, 'count=0,bytes=0'); // the server counts when this one comes
  return limits;
}

/** Takes the quota away, with the nodes above it that serve no other. */
export async function deleteQuota(client: Client, path: string, signal: AbortSignal): Promise<void> {
  await client.delete(limitsPath(path), { signal });
  await client.delete(`${quotaPath(path)}/${STATS}`, { signal });
  try {
    for (let at = quotaPath(path); at !== ROOT; at = at.slice(0, at.lastIndexOf('/'))) {
      await client.delete(at, { signal });
    }
  } catch (error) {
    if (!ZooKeeperError.is(error, 'NotEmpty', 'NoNode')) throw error;
  }
}

/** The nearest path above or below that has a quota: only one of a line can have one. */
export async function quotaInTheWay(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly isAbove: boolean } | null> {
  for (let at = path.slice(0, path.lastIndexOf('/')); at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if ((await client.exists(limitsPath(at), { signal })) !== null) return { path: at, isAbove: true };
  }
  const all =
    (await client.exists(quotaPath(path), { signal })) === null ? [] : await subtree(client, quotaPath(path), signal);
  const below = all.find((node) => node.endsWith(`/${LIMITS}`) && node !== limitsPath(path));
  return below === undefined ? null : { path: below.slice(ROOT.length, -LIMITS.length - 1), isAbove: false };
}

/** As ZooKeeper writes it, with its stray sign of equality. */
export function limitsText({ count, bytes, byteHardLimit, countHardLimit }: Limits): string {
  return `count=${count},bytes=${bytes}=;byteHardLimit=${byteHardLimit};countHardLimit=${countHardLimit}`;
}

/** What is not there, or is no number, is no limit. */
export function parseLimits(text: string): Limits {
  const figure = (name: string) => Number(new RegExp(`(?:^|[,;])${name}=(-?\\d+)`).exec(text)?.[1] ?? -1);
  return {
    count: figure('count'),
    bytes: figure('bytes'),
    byteHardLimit: figure('byteHardLimit'),
    countHardLimit: figure('countHardLimit'),
  };
}

function quotaPath(path: string): string {
  return `${ROOT}${path}`;
}

async function make(client: Client, path: string, data: string | null): Promise<void> {
  try {
    await client.create(path, data);
  } catch (error) {
    if (!ZooKeeperError.is(error, 'NodeExists')) throw error;
  }
}
