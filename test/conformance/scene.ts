/**
 * The stage of the conformance tests: one server in virtual time and clients that speak frames to it. The tests go by
 * the numbers of the checklist E-k in the reference; what they expect is what ZooKeeper does, or where we deviate and
 * say so, what we do.
 */
import type { OperationName } from '../../protocol/client/operations.js';
import type { Acl } from '../../protocol/client/records.js';
import type { ReplicaOptions } from '../../src/core/io.js';
import { digestId } from '../../src/server/auth.js';
import {
  type ConnectOptions,
  type Event,
  type OperationRequest,
  type Received,
  VirtualClient,
  VirtualServer,
  VirtualWorld,
} from '../../src/testing/index.js';
import { OPEN_ACL } from '../helpers/world.js';

export { OPEN_ACL };

/** Whose password is `secret`. */
export const ANN = digestId('ann:secret');
/** Nobody but ann may do anything. */
export const ANN_ONLY: Acl[] = [{ perms: 31, id: { scheme: 'digest', id: ANN } }];

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export interface Scene {
  readonly world: VirtualWorld;
  readonly server: VirtualServer;
  /** A client with a session. */
  client(options?: ConnectOptions): VirtualClient;
  /** Stops the server at once and starts it again from its disk; all connections are gone. */
  restart(): void;
}

export function scene(options: Partial<ReplicaOptions> = {}, diskDelayMsMax = 1): Scene {
  const world = new VirtualWorld({ networkDelayMsMax: 0, diskDelayMsMax });
  const server = new VirtualServer(world, options);
  const serve = () => {
    server.start();
    world.runUntil(() => server.replica.isServing, 'the server serves');
  };
  serve();
  return {
    world,
    server,
    client(connectOptions) {
      const client = new VirtualClient(world);
      const answer = client.connected(server, connectOptions);
      if (answer.kind !== 'connect' || answer.timeoutMs === 0) throw new Error('no session');
      return client;
    },
    restart() {
      server.crash();
      world.run(10);
      serve();
    },
  };
}

/** Creates a node, which must succeed; returns its path. */
export function create(client: VirtualClient, path: string, fields: Partial<OperationRequest<'create'>> = {}): string {
  const reply = client.call('create', { path, data: null, acl: OPEN_ACL, flags: 0, ...fields });
  if (reply.response === undefined) throw new Error(`create ${path}: ${reply.code}`);
  return reply.response.path;
}

export function statOf(client: VirtualClient, path: string) {
  const { response, code } = client.call('exists', { path, watch: false });
  if (response === undefined) throw new Error(`exists ${path}: ${code}`);
  return response.stat;
}

export function code<N extends OperationName>(client: VirtualClient, name: N, request: OperationRequest<N>): number {
  return client.call(name, request).code;
}

export function authenticate(client: VirtualClient, credentials: string, scheme = 'digest'): void {
  const from = client.received.length;
  client.send('auth', { type: 0, scheme, auth: bytes(credentials) });
  client.replyTo(-4, from);
}

/** What came since `from`, in short: `event 3 /a`, `reply 5`, `closed`. */
export function inShort(client: VirtualClient, from = 0): string[] {
  return client.received.slice(from).map(shortOf);
}

function shortOf(item: Received): string {
  if (item.kind === 'event') return `event ${item.type} ${item.path}`;
  if (item.kind === 'reply') return `reply ${item.xid}${item.code === 0 ? '' : ` (${item.code})`}`;
  return item.kind;
}

export function events(client: VirtualClient, from = 0): Event[] {
  return client.received.slice(from).filter((item) => item.kind === 'event');
}
