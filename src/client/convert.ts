// Between the wire's records and the caller's objects.

import type * as R from '../../protocol/client/records.js';
import type { Acl, Data, NodeData, Stat } from './types.js';

export function toStat(stat: R.Stat): Stat {
  return {
    czxid: stat.czxid,
    mzxid: stat.mzxid,
    pzxid: stat.pzxid,
    ctime: Number(stat.ctime),
    mtime: Number(stat.mtime),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: stat.ephemeralOwner,
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}

export function toBytes(data: Data | undefined): Uint8Array | null {
  return typeof data === 'string' ? Buffer.from(data) : (data ?? null);
}

/** As a Buffer over the same bytes, for its toString(). */
export function toBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function toWireAcl(acl: readonly Acl[]): R.Acl[] {
  return acl.map(({ scheme, id, perms }) => ({ perms, id: { scheme, id } }));
}

export function fromWireAcl(acl: readonly R.Acl[]): Acl[] {
  return acl.map(({ perms, id }) => ({ scheme: id.scheme, id: id.id, perms }));
}

// Bodies of requests that have a path and no more.

export const toPath = (path: string) => ({ path });
export const toPathWatch = (path: string, watch: boolean) => ({ path, watch });

// Responses.

export const toNothing = (): void => undefined;
export const statOf = (response: { stat: R.Stat }): Stat => toStat(response.stat);
export const statOrNull = (response: { stat: R.Stat }): Stat | null => toStat(response.stat);
export const namesOf = (response: { children: string[] }): string[] => response.children;

export const childrenOf = (response: { children: string[]; stat: R.Stat }): { children: string[]; stat: Stat } => ({
  children: response.children,
  stat: toStat(response.stat),
});

export const dataOf = (response: { data: Uint8Array | null; stat: R.Stat }): NodeData => ({
  data: toBuffer(response.data),
  stat: toStat(response.stat),
});

export const aclOf = (response: { acl: R.Acl[]; stat: R.Stat }): { acl: Acl[]; stat: Stat } => ({
  acl: fromWireAcl(response.acl),
  stat: toStat(response.stat),
});
