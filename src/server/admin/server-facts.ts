// Everything the four-letter words tell about a server, as plain data: the server gathers it, the words only write it
// down. Fields that cost something to gather are functions, called by the words that need them.

/** One client connection. Numbers of a connection count from its start or from the last `crst`. */
export interface ConnectionFacts {
  readonly address: string;
  readonly port: number;
  /** Bits of interest as ZooKeeper shows them: 0 just accepted, 1 reading, 4 writing, 5 both. */
  readonly interestOps: number;
  /** Requests received and not yet answered. */
  readonly queued: number;
  /** Over TLS. Left out: no. */
  readonly secure?: boolean;
  readonly received: number;
  readonly sent: number;
  /** Undefined while no session is established. */
  readonly session: ConnectionSessionFacts | undefined;
}

/** What is known of a connection once it has a session. */
export interface ConnectionSessionFacts {
  readonly sessionId: bigint;
  /** Four letters or `NA`: CREA, GETD, SETD, PING, … */
  readonly lastOperation: string;
  /** Wall clock at which the session was established on this connection. */
  readonly establishedMs: number;
  readonly timeoutMs: number;
  readonly lastCxid: number;
  readonly lastZxid: bigint;
  /** Wall clock of the last reply. */
  readonly lastResponseMs: number;
  readonly lastLatencyMs: number;
  readonly minLatencyMs: number;
  readonly averageLatencyMs: number;
  readonly maxLatencyMs: number;
}

/** Sessions, or connections, that end at one instant unless heard of. */
export interface ExpiryBucket<T> {
  readonly expiresAtMs: number;
  readonly members: readonly T[];
}

/** What `dump` shows. */
export interface DumpFacts {
  /** A leader or a server on its own: sessions by the instant they expire. */
  readonly sessionBuckets?: readonly ExpiryBucket<bigint>[];
  /** A follower: the sessions it knows, without instants. */
  readonly globalSessions?: readonly { readonly sessionId: bigint; readonly timeoutMs: number }[];
  /** Paths of ephemeral nodes by their session. */
  readonly ephemerals: readonly { readonly sessionId: bigint; readonly paths: readonly string[] }[];
  readonly connectionBuckets: readonly ExpiryBucket<ConnectionFacts>[];
}

/** One recorded measure: what a summary of ZooKeeper's metrics has. */
export interface SummaryFacts {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Where they are kept: the 50th, 95th, 99th and 99.9th percentile. */
  readonly percentiles?: readonly [number, number, number, number];
}

export type ServerMode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** Only on a leader. */
export interface LeaderFacts {
  readonly lastProposalBytes: number;
  readonly minProposalBytes: number;
  readonly maxProposalBytes: number;
  readonly learners: number;
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
  readonly pendingSyncs: number;
  readonly leaderUptimeMs: number;
}

/** One server of the ensemble, as it is configured. Addresses are `host:port`, '' where there is none. */
export interface MemberFacts {
  readonly id: number;
  readonly serverAddresses: readonly string[];
  readonly electionAddresses: readonly string[];
  readonly clientAddress: string;
  readonly role: 'participant' | 'observer';
}

/** An observer that is in step with its leader; the names are those of ZooKeeper's answer. */
export interface ObserverFacts {
  readonly remote_address_and_port: string;
  readonly sid: number;
  readonly status: 'synced' | 'syncing';
}

/** Of a member of an ensemble. */
export interface ZabFacts {
  readonly id: number;
  readonly phase: 'election' | 'discovery' | 'synchronization' | 'broadcast';
}

/** Metrics by the name they have in ZooKeeper, without `zk_`. */
export interface MetricFacts {
  readonly counters: ReadonlyMap<string, number>;
  readonly summaries: ReadonlyMap<string, SummaryFacts>;
}

/** One server at one instant. */
export interface ServerFacts {
  /** As versionText makes it. */
  readonly version: string;
  /** Whether clients are served now; when not, most words say just that. */
  readonly serving: boolean;
  readonly mode: ServerMode;
  readonly readOnly: boolean;
  readonly minLatencyMs: number;
  readonly averageLatencyMs: number;
  readonly maxLatencyMs: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly connections: readonly ConnectionFacts[];
  readonly outstandingRequests: number;
  /** Connections whose TLS handshake is under way. Left out: none. */
  readonly outstandingHandshakes?: number;
  /** Last processed. */
  readonly zxid: bigint;
  readonly nodeCount: number;
  readonly ephemeralCount: number;
  readonly watchCount: number;
  readonly approximateDataBytes: number;
  readonly globalSessions: number;
  readonly localSessions: number;
  readonly uptimeMs: number;
  readonly lastClientResponseBytes: number;
  readonly minClientResponseBytes: number;
  readonly maxClientResponseBytes: number;
  readonly authFailures: number;
  /** From 0 to 1. */
  readonly connectionDropProbability: number;
  /** In an ensemble: voting members, and the state of election and recovery, such as `following - broadcast`. */
  readonly ensemble: { readonly quorumSize: number; readonly peerState: string } | undefined;
  readonly leader: LeaderFacts | undefined;
  /** Undefined for a server on its own. */
  readonly zab: ZabFacts | undefined;
  /** By rising id; empty for a server on its own. */
  readonly members: () => readonly MemberFacts[];
  /** Those that this server knows to be in step: on the leader. */
  readonly observers: () => readonly ObserverFacts[];
  /** The last checkpoint on disk; undefined when there is none yet. */
  readonly lastSnapshot: () => { readonly zxid: bigint; readonly timeMs: number } | undefined;
  readonly metrics: () => MetricFacts;
  /** Of the process; -1 where the system does not tell. */
  readonly fileDescriptors: () => { readonly open: number; readonly max: number };
  /** Of checkpoint and log. */
  readonly directories: () => { readonly dataDirBytes: number; readonly dataLogDirBytes: number };
  /** As configurationLines makes them. */
  readonly configurationLines: () => readonly string[];
  /** As environmentPairs makes them. */
  readonly environment: () => readonly (readonly [string, string])[];
  /** Sessions watching each path. */
  readonly watchesByPath: () => ReadonlyMap<string, readonly bigint[]>;
  readonly dump: () => DumpFacts;
  /** Zxids with the digest of the tree at each, by rising zxid. */
  readonly digests: () => readonly { readonly zxid: bigint; readonly digest: bigint }[];
  /** A bit mask without effect here, kept so that `stmk` can be read back by `gtmk`. */
  readonly traceMask: bigint;
  readonly setTraceMask: (mask: bigint) => void;
  readonly resetServerStatistics: () => void;
  readonly resetConnectionStatistics: () => void;
}
