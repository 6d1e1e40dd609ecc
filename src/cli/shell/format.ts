// zkCli.sh's formats: Stat, lists, ACLs, events, times. And the same as values for --json, where 64-bit numbers are
// hexadecimal texts as everywhere else in ZooKeeper, since JSON's numbers are too short for them.

import { type Acl, Perms, type Stat, type WatchEvent } from '../../client/index.js';
import { UsageError } from './errors.js';

export function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** As Java prints a Date: `Thu Jan 01 00:00:00 UTC 1970`. */
export function timeText(timeMs: number, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    year: 'numeric',
    timeZone,
  }).formatToParts(timeMs);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? '';
  const clock = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${part('weekday')} ${part('month')} ${part('day')} ${clock} ${part('timeZoneName')} ${part('year')}`;
}

export function statLines(stat: Stat, timeZone?: string): string[] {
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${timeText(stat.ctime, timeZone)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${timeText(stat.mtime, timeZone)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${hex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

export function statJson(stat: Stat): unknown {
  return {
    ...stat,
    czxid: hex(stat.czxid),
    mzxid: hex(stat.mzxid),
    pzxid: hex(stat.pzxid),
    ctime: new Date(stat.ctime).toISOString(),
    mtime: new Date(stat.mtime).toISOString(),
    ephemeralOwner: hex(stat.ephemeralOwner),
  };
}

export function listText(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

/** By code units, so that the order does not depend on the place. */
export function sorted(items: readonly string[]): string[] {
  return [...items].sort();
}

/** zkCli.sh writes `null` for a node that never had data. */
export function dataText(data: Buffer | null): string {
  return data === null ? 'null' : data.toString('utf8');
}

/** Undefined when the bytes are no UTF-8. */
export function textOf(data: Buffer): string | undefined {
  const text = data.toString('utf8');
  return Buffer.from(text, 'utf8').equals(data) ? text : undefined;
}

/** A text when the bytes are UTF-8, else an object with their base64. */
export function dataJson(data: Buffer | null): DataJson {
  return data === null ? null : (textOf(data) ?? { base64: data.toString('base64') });
}

export type DataJson = string | null | { readonly base64: string };

/** Throws UsageError for what is not base64, which Node would take as far as it can. */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replaceAll('=', '') === text.replaceAll('=', '')) return bytes;
  throw new UsageError(`this is not base64: ${text}`);
}

/** Sixteen bytes a line, as zkCli.sh draws them. */
export function hexDump(bytes: Buffer): string[] {
  const rule = `+--------+${'-'.repeat(49)}+${'-'.repeat(16)}+`;
  const columns = Array.from({ length: 16 }, (_, i) => ` ${' '}${i.toString(16)}`).join('');
  const lines = [`         +${'-'.repeat(49)}+`, `         |${columns} |`, rule];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hexes = row.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
    const text = row.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`|${at.toString(16).padStart(8, '0')}|${hexes.padEnd(48)} |${text.padEnd(16)}|`);
  }
  return [...lines, rule];
}

/** The version of a configuration and the addresses for clients in it, as `config -c` shows them. */
export function clientConfigText(text: string): string {
  const addresses: string[] = [];
  for (const [, host, client] of text.matchAll(/^server\.\d+=(\[[^\]]*\]|[^:;]*)[^;\n]*;(.*)$/gm)) {
    addresses.push(client.includes(':') ? client : `${host}:${client}`);
  }
  const version = /^version=(.*)$/m.exec(text)?.[1];
  return version === undefined ? '' : `${version} ${addresses.join(',')}`;
}

const PERM_LETTERS = [
  ['c', Perms.CREATE],
  ['d', Perms.DELETE],
  ['r', Perms.READ],
  ['w', Perms.WRITE],
  ['a', Perms.ADMIN],
] as const;

export function permsText(perms: number): string {
  return PERM_LETTERS.map(([letter, perm]) => ((perms & perm) === 0 ? '' : letter)).join('');
}

export function aclJson(acl: readonly Acl[]): { scheme: string; id: string; perms: string }[] {
  return acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: permsText(perms) }));
}

export function aclLines(acl: readonly Acl[]): string[] {
  return acl.flatMap(({ scheme, id, perms }) => [`'${scheme},'${id}`, `: ${permsText(perms)}`]);
}

/** `scheme:id:perms[,…]`, where the id may have colons itself. Throws UsageError. */
export function parseAcl(text: string): Acl[] {
  return text.split(',').map((entry) => {
    const first = entry.indexOf(':');
    const last = entry.lastIndexOf(':');
    if (first === last) throw new UsageError(`an ACL is scheme:id:perms, as in world:anyone:cdrwa, not ${entry}`);
    return {
      scheme: entry.slice(0, first),
      id: entry.slice(first + 1, last),
      perms: parsePerms(entry.slice(last + 1)),
    };
  });
}

/** Throws UsageError. */
export function parsePerms(letters: string): number {
  let perms = 0;
  for (const letter of letters) {
    const perm = PERM_LETTERS.find(([known]) => known === letter);
    if (perm === undefined) throw new UsageError(`permissions are letters of cdrwa, not ${letter}`);
    perms |= perm[1];
  }
  return perms;
}

const EVENT_NAMES = {
  created: 'NodeCreated',
  deleted: 'NodeDeleted',
  dataChanged: 'NodeDataChanged',
  childrenChanged: 'NodeChildrenChanged',
  removed: 'WatchRemoved',
  gap: 'Gap',
} as const satisfies { readonly [T in WatchEvent['type']]: string };

export function eventText(event: WatchEvent): string {
  return `WatchedEvent state:SyncConnected type:${EVENT_NAMES[event.type]} path:${event.path}`;
}

export function eventJson(event: WatchEvent): unknown {
  return 'zxid' in event ? { ...event, zxid: event.zxid < 0n ? null : hex(event.zxid) } : event;
}
