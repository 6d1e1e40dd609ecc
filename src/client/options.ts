// The options of a client, with their defaults in one place.

import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { PACKET_BYTES_MAX } from '../../protocol/client/constants.js';
import { Random } from '../std/random.js';
import { parseConnectString } from './connect-string.js';
import { toBytes } from './convert.js';
import { ZooKeeperError } from './errors.js';
import { type SaslExchange, type SaslOptions, saslExchange } from './sasl.js';
import { nodeCrypto } from './sasl-crypto.js';
import type { SessionOptions } from './session-contract.js';
import type { Data } from './types.js';

/** It is a 32-bit number on the wire; no server grants nearly as much. */
const SESSION_TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Material in PEM (or PFX), as node:tls takes it: the contents of files, not their names. */
export interface ClientTlsOptions {
  /** Authorities that may have signed the servers' certificates. Default: those of Node, which are the public ones. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The client's certificate, followed by those of the authorities in between, and its private key. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Both in one PKCS12 file, instead of the two. */
  readonly pfx?: Uint8Array;
  /** Of the key or the pfx. */
  readonly passphrase?: string;
  /** The name that the servers' certificates have to be for. Default: the host that is connected to. */
  readonly servername?: string;
  /** False takes any certificate: whoever stands in between reads along. Default true. */
  readonly rejectUnauthorized?: boolean;
}

export interface ClientOptions {
  /**
   * How long the session outlives the loss of its connection, and with it the ephemeral nodes. The server clamps it.
   * Default 10 000.
   */
  readonly sessionTimeoutMs?: number;
  /** Deadline of every call that names none itself; Infinity for none. Default 30 000. */
  readonly requestTimeoutMs?: number;
  /** How long connect() waits for a first server. Default 15 000. */
  readonly connectTimeoutMs?: number;
  /** How long close() waits for a server to end the session. Default 1000. */
  readonly closeTimeoutMs?: number;
  /**
   * Where the socket and the heartbeats live. `worker`: in a thread of their own, which costs some MiB of memory and a bit
   * of latency; an event loop that is blocked for longer than the session timeout then does not lose the session. Default
   * `main`.
   */
  readonly thread?: 'main' | 'worker';
  /** Accept a server that has no quorum and serves reads only. Default false. */
  readonly readOnly?: boolean;
  /** Connect over TLS; `true` is the same as {}. Default: without. */
  readonly tls?: ClientTlsOptions | boolean;
  /** Identities to connect with, as in `{ scheme: 'digest', auth: 'user:password' }`. */
  readonly auth?: readonly { readonly scheme: string; readonly auth: Data }[];
  /** Log in with a name and a password, on each connection and before anything else. Default: without. */
  readonly sasl?: SaslOptions;
  /** Go on with this session (see client.session) instead of opening one. */
  readonly session?: { readonly id: bigint; readonly password: Uint8Array };
  /** Open a new session when one is lost. When false the client closes then. Default true. */
  readonly renewSession?: boolean;
  /** Requests that may wait, and as many that may be in flight; one more fails with ThrottledOp. Default 65 536. */
  readonly requestsMax?: number;
  /** Largest request, which has to agree with the servers' `jute.maxbuffer`. Default 1 048 575. */
  readonly requestBytesMax?: number;
  /** Largest reply that is accepted. Default 64 MiB. */
  readonly replyBytesMax?: number;
  /** Seed of the order of hosts and of the jitter, for tests that have to run the same way again. Default: random. */
  readonly seed?: number;
}

export interface ResolvedOptions {
  readonly session: SessionOptions;
  /** For every connection; undefined without TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly chroot: string;
  readonly auth: readonly { readonly scheme: string; readonly auth: Uint8Array }[];
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/** Throws ZooKeeperError BadArguments for what cannot be. */
export function resolveOptions(connectString: string, options: ClientOptions): ResolvedOptions {
  const { hosts, chroot } = parseConnectString(connectString);
  const positive = (name: keyof ClientOptions, fallback: number): number => {
    const value = options[name] ?? fallback;
    if (typeof value === 'number' && value > 0) return value;
    throw new ZooKeeperError('BadArguments', { operation: 'connect', text: `${name} is ${String(value)}` });
  };
  return {
    session: {
      hosts,
      sessionTimeoutMs: Math.min(SESSION_TIMEOUT_MS_MAX, Math.round(positive('sessionTimeoutMs', 10_000))),
      readOnly: options.readOnly ?? false,
      session: options.session,
      login: resolveSasl(options.sasl),
      renewSession: options.renewSession ?? true,
      requestsMax: positive('requestsMax', 65_536),
      requestBytesMax: positive('requestBytesMax', PACKET_BYTES_MAX),
      replyBytesMax: positive('replyBytesMax', 64 * 1024 * 1024),
      random: new Random(options.seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)),
    },
    chroot,
    tls: resolveTls(options.tls),
    auth: (options.auth ?? []).map(({ scheme, auth }) => ({ scheme, auth: toBytes(auth) ?? new Uint8Array(0) })),
    requestTimeoutMs: positive('requestTimeoutMs', 30_000),
    connectTimeoutMs: positive('connectTimeoutMs', 15_000),
    closeTimeoutMs: positive('closeTimeoutMs', 1000),
  };
}

function resolveSasl(sasl: SaslOptions | undefined): (() => SaslExchange) | undefined {
  if (sasl === undefined) return undefined;
  const { mechanism, username, password } = sasl;
  const isKnown = mechanism === 'SCRAM-SHA-256' || mechanism === 'DIGEST-MD5';
  if (!isKnown || typeof username !== 'string' || username === '' || typeof password !== 'string') {
    const text = 'sasl takes a mechanism (SCRAM-SHA-256 or DIGEST-MD5), a username and a password';
    throw new ZooKeeperError('BadArguments', { operation: 'connect', text });
  }
  const crypto = nodeCrypto();
  return () => saslExchange(sasl, crypto);
}

/** Material is read once, here, so that what is wrong with it is said at once and not by one failed attempt after another. */
function resolveTls(tls: ClientOptions['tls']): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }: ClientTlsOptions = tls === true ? {} : tls;
  try {
    const secureContext = createSecureContext({
      ...(ca === undefined ? {} : { ca: [ca].flat().map(forNode) }),
      ...(cert === undefined ? {} : { cert: forNode(cert) }),
      ...(key === undefined ? {} : { key: forNode(key) }),
      ...(pfx === undefined ? {} : { pfx: forNode(pfx) }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    const rules = { secureContext, rejectUnauthorized: rejectUnauthorized ?? true };
    return servername === undefined ? rules : { ...rules, servername };
  } catch (error) {
    const text = `tls: ${(error as Error).message}`;
    throw new ZooKeeperError('BadArguments', { operation: 'connect', text, cause: error });
  }
}

function forNode(material: string | Uint8Array): string | Buffer {
  return typeof material === 'string' ? material : Buffer.from(material);
}
