/** The requests of a simulated client: random ones, on few paths, so that clients meet. */
import type { OperationName } from '../../protocol/client/operations.js';
import type { Random } from '../../src/std/random.js';
import type { OperationRequest } from '../../src/testing/index.js';
import { OPEN_ACL } from '../helpers/world.js';

export type AnyRequest = {
  [N in OperationName]: { readonly operation: N; readonly request: OperationRequest<N> };
}[OperationName];

const PATHS = ['/a', '/b', '/a/x', '/a/y', '/b/z', '/c'] as const;
/** It writes nothing: only what its server hears of it keeps its session alive. */
const READER_PROBABILITY = 0.2;
const READS_FROM = 62;
const CLOSE_FROM = 99;

export class RequestSource {
  /** Of each path, as a read has shown it: for writes that compare and set. */
  readonly versions = new Map<string, number>();
  private readonly isReader: boolean;

  constructor(private readonly random: Random) {
    this.isReader = random.bool(READER_PROBABILITY);
  }

  /** What is sent in one go. */
  batch(): AnyRequest[] {
    const { random } = this;
    const requests: AnyRequest[] = [];
    for (let left = 1 + random.int(4); left > 0; left--) requests.push(this.next());
    // The way to read what is true now.
    if (random.bool(0.1)) {
      const path = random.pick(PATHS);
      requests.push(ask('sync', { path }), ask('getData', { path, watch: false }));
    }
    return requests;
  }

  private next(): AnyRequest {
    const { random } = this;
    const path = random.pick(PATHS);
    const watch = random.bool(0.3);
    const data = random.bool(0.1) ? null : random.bytes(random.int(20));
    const version = random.bool(0.6) ? -1 : (this.versions.get(path) ?? random.int(4));
    const choice = this.isReader ? READS_FROM + random.int(CLOSE_FROM - READS_FROM) : random.int(100);
    if (choice < 14) return ask('create', { path, data, acl: OPEN_ACL, flags: random.bool(0.4) ? 1 : 0 });
    if (choice < 20) return ask('create2', { path: `${path}/s-`, data, acl: OPEN_ACL, flags: 2 + random.int(2) });
    if (choice < 23) return ask('createContainer', { path, data, acl: OPEN_ACL, flags: 4 });
    if (choice < 26) {
      return ask('createTTL', { path, data, acl: OPEN_ACL, flags: 5, ttl: BigInt(1 + random.int(2000)) });
    }
    if (choice < 36) return ask('delete', { path, version });
    if (choice < 52) return ask('setData', { path, data, version });
    if (choice < 55) return ask('setACL', { path, acl: OPEN_ACL, version });
    if (choice < READS_FROM) return ask('multi', this.multi(data));
    if (choice < 74) return ask('getData', { path, watch });
    if (choice < 84) return ask('exists', { path, watch });
    if (choice < 93) return ask('getChildren2', { path: random.bool(0.3) ? '/' : path, watch });
    if (choice < 97) return ask('sync', { path });
    if (choice < CLOSE_FROM) return ask('ping', undefined);
    return ask('closeSession', undefined);
  }

  private multi(data: Uint8Array | null): OperationRequest<'multi'> {
    const { random } = this;
    const parts: OperationRequest<'multi'> = [];
    for (let left = random.int(4); left > 0; left--) {
      const path = random.pick(PATHS);
      const choice = random.int(4);
      if (choice === 0) parts.push({ op: 'create', request: { path, data, acl: OPEN_ACL, flags: random.int(2) } });
      else if (choice === 1) parts.push({ op: 'setData', request: { path, data, version: -1 } });
      else if (choice === 2) parts.push({ op: 'delete', request: { path, version: -1 } });
      else parts.push({ op: 'check', request: { path, version: -1 } });
    }
    return parts;
  }
}

export function ask<N extends OperationName>(operation: N, request: OperationRequest<N>): AnyRequest {
  return { operation, request } as AnyRequest;
}
