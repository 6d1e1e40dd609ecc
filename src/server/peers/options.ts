// What the links between servers need to know, and how it follows from the server's configuration.

import { PEER_MESSAGE_BYTES_MAX } from '../../../protocol/peer/messages.js';
import type { HostPort, ServerConfig } from '../config/index.js';
import type { Membership } from './greeting.js';
import { openPeerSecret, type PeerSecret } from './secret.js';
import { type PeerSockets, plainSockets } from './sockets.js';

/** A server of the ensemble, with the address its peers reach it at. */
export interface PeerMember extends Membership {
  readonly host: string;
  readonly port: number;
}

export interface PeerLinksOptions {
  readonly serverId: number;
  /** All servers of the ensemble, this one included, by rising id. */
  readonly members: readonly PeerMember[];
  readonly listen: HostPort;
  /** Servers with different names do not link; '' unless `ensemble.name` is set. */
  readonly clusterName: string;
  readonly sockets: PeerSockets;
  /** What servers prove to each other to know; null: nothing. */
  readonly secret: PeerSecret | null;
  readonly keepAlive: boolean;
  /** To connect, and again to introduce oneself (cnxTimeout). */
  readonly connectTimeoutMs: number;
  /** Attempts to open a port that is in use; 0: for ever (electionPortBindRetry). */
  readonly bindTriesMax: number;
  readonly bindPauseMs: number;
  readonly messageBytesMax: number;
  /** A link breaks when more than this waits for its socket. */
  readonly queuedBytesMax: number;
  /** How often a silent link is asked for a sign of life; after 30 times without one it breaks. */
  readonly watchMs: number;
  /** Connections that have not introduced themselves yet; beyond it the oldest is closed. */
  readonly strangersMax: number;
}

const BIND_PAUSE_MS = 1000;
/** The core's windows keep far below it. */
const QUEUED_BYTES_MAX = 256 * 1024 * 1024;
const STRANGERS_MAX = 64;
const WATCH_MS = 2000;

/**
 * For a member of an ensemble (`config.replicated`). `sockets` are those of TLS if sslQuorum is on. There is one link for
 * each pair of servers, on the quorum port; election has no links of its own, and nobody listens on its port. Throws
 * ConfigError when the secret cannot be read.
 */
export function peerLinksOptions(config: ServerConfig, sockets: PeerSockets = plainSockets): PeerLinksOptions {
  const members = config.servers.map(({ id, addresses, role, weight, group }) => {
    const { host, quorumPort } = addresses[0]!;
    return { id, host, port: quorumPort, role, weight, group };
  });
  const own = members.find(({ id }) => id === config.serverId)!;
  return {
    serverId: config.serverId,
    members,
    listen: { host: config.quorumListenOnAllIPs ? undefined : own.host, port: own.port },
    clusterName: config.ensembleName ?? '',
    sockets,
    secret: openPeerSecret(config),
    keepAlive: config.peerTcpKeepAlive,
    connectTimeoutMs: config.electionConnectTimeoutMs,
    bindTriesMax: config.electionPortBindRetry,
    bindPauseMs: BIND_PAUSE_MS,
    messageBytesMax: PEER_MESSAGE_BYTES_MAX,
    queuedBytesMax: QUEUED_BYTES_MAX,
    watchMs: WATCH_MS,
    strangersMax: STRANGERS_MAX,
  };
}
