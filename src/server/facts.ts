// Gathers what the four-letter words tell from where it lives: the replica, its clients, the storage, the process.

import { readdirSync, readFileSync } from 'node:fs';
import { OpCode } from '../../protocol/client/constants.js';
import type { Connection } from '../core/pipeline/connections.js';
import type { Replica } from '../core/replica.js';
import { environmentPairs } from './admin/environment.js';
import type {
  ConnectionFacts,
  DumpFacts,
  MemberFacts,
  ObserverFacts,
  ServerFacts,
  ServerMode,
  SummaryFacts,
} from './admin/server-facts.js';
import type { AuditLog } from './audit-log.js';
import { configurationLines, type ServerConfig, type ServerSpec } from './config/index.js';
import type { EnsembleAuth } from './ensemble-auth.js';
import type { ClientListener } from './net/client-listener.js';
import type { PauseMonitor } from './pause-monitor.js';
import type { Storage } from './storage/index.js';

export interface FactSources {
  readonly config: ServerConfig;
  readonly replica: Replica;
  readonly storage: Storage;
  readonly version: string;
  readonly startedMs: number;
  /** Where the link to another server ends; undefined when there is none. */
  readonly addressOf?: (server: number) => string | undefined;
  /** Where they are kept. */
  readonly audit?: AuditLog | null;
  readonly pauses?: PauseMonitor | null;
  readonly ensembleAuth?: EnsembleAuth;
}

/** Interest bits as ZooKeeper shows them: just accepted, or reading. */
const JUST_ACCEPTED = 0;
const READING = 1;

export class FactGatherer {
  private readonly sources: FactSources;
  private listener: ClientListener | null = null;
  private traceMask = 306n; // ZooKeeper's own default; it has no effect here
  /** Of one that was found at the start it is not known when it was taken. */
  private checkpointMs: number;

  constructor(sources: FactSources) {
    this.sources = sources;
    this.checkpointMs = sources.startedMs;
  }

  /** What it is asked from now on: who speaks TLS. */
  attach(listener: ClientListener): void {
    this.listener = listener;
  }

  /** A checkpoint is on disk. */
  checkpointed(): void {
    this.checkpointMs = Date.now();
  }

  gather(): ServerFacts {
    const { config, replica, storage, version, startedMs } = this.sources;
    const { stats, world, clients } = replica;
    const now = Date.now();
    const directories = () => {
      const { databaseBytes, logBytes } = storage.stats();
      return { dataDirBytes: databaseBytes, dataLogDirBytes: logBytes };
    };
    return {
      version,
      serving: replica.isServing,
      mode: modeOf(replica),
      readOnly: false,
      minLatencyMs: Math.round(stats.latencyMinMs),
      averageLatencyMs: stats.latencyAvgMs,
      maxLatencyMs: Math.round(stats.latencyMaxMs),
      packetsReceived: stats.received,
      packetsSent: stats.sent,
      connections: [...clients].map((connection) => connectionFacts(connection, replica, this.isSecure(connection))),
      outstandingRequests: clients.outstanding,
      outstandingHandshakes: this.listener?.pendingHandshakes ?? 0,
      zxid: BigInt(replica.appliedZxid),
      nodeCount: world.tree.nodeCount,
      ephemeralCount: world.tree.ephemeralCount,
      watchCount: clients.watches.size,
      approximateDataBytes: world.tree.approximateDataSize,
      globalSessions: world.sessions.size,
      localSessions: 0,
      uptimeMs: now - startedMs,
      lastClientResponseBytes: -1,
      minClientResponseBytes: -1,
      maxClientResponseBytes: -1,
      authFailures: stats.authFailures,
      connectionDropProbability: 0,
      ...ensembleFacts(config, replica),
      members: () => config.servers.map(memberFacts),
      observers: () => observerFacts(replica, this.sources.addressOf),
      lastSnapshot: () => {
        const zxid = replica.checkpointing.lastZxid;
        return zxid === 0 ? undefined : { zxid: BigInt(zxid), timeMs: this.checkpointMs };
      },
      metrics: () => this.metrics(),
      fileDescriptors,
      directories,
      configurationLines: () => configurationLines(config, directories()),
      environment: () => environmentPairs(version),
      watchesByPath: () => watchesByPath(replica),
      dump: () => dumpFacts(replica, now),
      digests: () => {
        const { high, low } = world.tree.digest();
        return [{ zxid: BigInt(replica.appliedZxid), digest: (BigInt(high) << 32n) | BigInt(low) }];
      },
      traceMask: this.traceMask,
      setTraceMask: (mask) => {
        this.traceMask = mask;
      },
      resetServerStatistics: () => stats.reset(),
      resetConnectionStatistics: () => {
        for (const connection of clients) connection.resetStatistics();
      },
    };
  }

  private isSecure(connection: Connection): boolean {
    return this.listener?.isSecure(connection) ?? false;
  }

  private metrics() {
    const { replica, storage, audit, pauses, ensembleAuth } = this.sources;
    const { stats } = replica;
    const { syncs, avgSyncMs, maxSyncMs, checkpoints } = storage.stats();
    return {
      counters: new Map([
        ['commit_count', stats.writes],
        ['snap_count', checkpoints],
        ['connection_request_count', replica.clients.accepted],
        ['connection_rejected', stats.connectionsRefused],
        ['stale_sessions_expired', stats.sessionsExpired],
        ['throttled_ops', stats.throttledRequests],
        ['request_throttle_wait_count', stats.throttleWaits],
        ['large_requests_rejected', stats.tornRequestsDropped],
        ['session_limit_rejected', stats.limitedRequests],
        ['memory_guard_rejected', stats.memoryRefusals],
        ['ensemble_auth_success', ensembleAuth?.successes ?? 0],
        ['ensemble_auth_fail', ensembleAuth?.failures ?? 0],
        ['ensemble_auth_skip', ensembleAuth?.skips ?? 0],
        ...(audit ? auditCounters(audit) : []),
      ]),
      summaries: new Map<string, SummaryFacts>([
        ['fsynctime', { count: syncs, sum: syncs * avgSyncMs, min: 0, max: maxSyncMs }],
        ...(pauses ? ([['jvm_pause_time_ms', pauses.summary()]] as const) : []),
      ]),
    };
  }
}

function modeOf({ peer, isServing }: Replica): ServerMode {
  if (peer.isAlone) return 'standalone';
  if (peer.role === 'leading' && isServing) return 'leader';
  return peer.isObserver ? 'observer' : 'follower';
}

/** What only a member of an ensemble has to tell. */
function ensembleFacts(config: ServerConfig, replica: Replica): Pick<ServerFacts, 'ensemble' | 'leader' | 'zab'> {
  const { peer, stats } = replica;
  if (!config.replicated) return { ensemble: undefined, leader: undefined, zab: undefined };
  const phase = PHASES[peer.phase];
  const leader = peer.leader;
  const learners = leader === null ? [] : [...leader.learners];
  const synced = learners.filter(({ isUpToDate }) => isUpToDate);
  return {
    ensemble: {
      quorumSize: config.servers.filter(({ role }) => role === 'participant').length,
      peerState: peer.role === 'looking' ? 'looking' : `${peer.role} - ${phase}`,
    },
    zab: { id: config.serverId, phase },
    leader:
      leader === null
        ? undefined
        : {
            lastProposalBytes: stats.lastProposalBytes,
            minProposalBytes: stats.minProposalBytes,
            maxProposalBytes: stats.maxProposalBytes,
            learners: learners.length,
            syncedFollowers: synced.filter(({ isObserver }) => !isObserver).length,
            syncedNonVotingFollowers: 0,
            syncedObservers: synced.filter(({ isObserver }) => isObserver).length,
            pendingSyncs: learners.length - synced.length,
            leaderUptimeMs: Math.round(replica.monotonicMs - leader.leadingSinceMs),
          },
  };
}

const PHASES = {
  looking: 'election',
  discovering: 'discovery',
  synchronising: 'synchronization',
  broadcasting: 'broadcast',
} as const;

function observerFacts({ peer }: Replica, addressOf: FactSources['addressOf']): ObserverFacts[] {
  if (peer.leader === null) return [];
  return [...peer.leader.learners]
    .filter(({ isObserver }) => isObserver)
    .map(({ id, isUpToDate }) => ({
      remote_address_and_port: addressOf?.(id) ?? '',
      sid: id,
      status: isUpToDate ? 'synced' : 'syncing',
    }));
}

function auditCounters({ written, dropped }: AuditLog): [name: string, value: number][] {
  return [
    ['audit_records_written', written],
    ['audit_records_dropped', dropped],
  ];
}

function memberFacts({ id, addresses, client, role }: ServerSpec): MemberFacts {
  return {
    id,
    serverAddresses: addresses.map(({ host, quorumPort }) => addressText(host, quorumPort)),
    electionAddresses: addresses.map(({ host, electionPort }) => addressText(host, electionPort)),
    clientAddress: client === undefined ? '' : addressText(client.host ?? '0.0.0.0', client.port),
    role,
  };
}

function addressText(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function connectionFacts(connection: Connection, replica: Replica, secure: boolean): ConnectionFacts {
  const { address, port, received, sent, lane, session, state } = connection;
  const isOpen = state === 'open';
  return {
    address,
    port,
    interestOps: isOpen ? READING : JUST_ACCEPTED,
    queued: lane.length,
    secure,
    received,
    sent,
    session: isOpen
      ? {
          sessionId: BigInt(session),
          lastOperation: OPERATION_LETTERS.get(connection.lastOperation) ?? 'NA',
          establishedMs: connection.establishedMs,
          timeoutMs: connection.timeoutMs,
          lastCxid: connection.lastXid,
          lastZxid: BigInt(replica.appliedZxid),
          lastResponseMs: Math.round(Date.now() - (replica.monotonicMs - connection.lastResponseMs)),
          lastLatencyMs: Math.round(connection.lastLatencyMs),
          minLatencyMs: Math.max(0, Math.round(connection.latencyMinMs)),
          averageLatencyMs: connection.latencyAvgMs,
          maxLatencyMs: Math.round(connection.latencyMaxMs),
        }
      : undefined,
  };
}

/** Four letters for each operation, as `cons` shows the last one. */
const OPERATION_LETTERS: ReadonlyMap<number, string> = new Map([
  [OpCode.createSession, 'SESS'],
  [OpCode.closeSession, 'CLOS'],
  [OpCode.create, 'CREA'],
  [OpCode.create2, 'CRE2'],
  [OpCode.createContainer, 'CREC'],
  [OpCode.createTTL, 'CRET'],
  [OpCode.delete, 'DELE'],
  [OpCode.exists, 'EXIS'],
  [OpCode.getData, 'GETD'],
  [OpCode.setData, 'SETD'],
  [OpCode.getACL, 'GETA'],
  [OpCode.setACL, 'SETA'],
  [OpCode.getChildren, 'GETC'],
  [OpCode.getChildren2, 'GETC'],
  [OpCode.getAllChildrenNumber, 'GETACN'],
  [OpCode.getEphemerals, 'GETE'],
  [OpCode.sync, 'SYNC'],
  [OpCode.ping, 'PING'],
  [OpCode.multi, 'MULT'],
  [OpCode.multiRead, 'MULTR'],
  [OpCode.reconfig, 'RECO'],
  [OpCode.setWatches, 'SETW'],
  [OpCode.setWatches2, 'STW2'],
  [OpCode.addWatch, 'ADDW'],
  [OpCode.checkWatches, 'CHKW'],
  [OpCode.removeWatches, 'REMW'],
] as [number, string][]);

function watchesByPath(replica: Replica): Map<string, bigint[]> {
  const found = new Map<string, Set<number>>();
  for (const table of ['data', 'child'] as const) {
    for (const [path, watchers] of replica.clients.watches.byPath(table)) {
      const sessions = found.get(path) ?? new Set();
      for (const { session } of watchers) sessions.add(session);
      found.set(path, sessions);
    }
  }
  return new Map([...found].map(([path, sessions]) => [path, [...sessions].map(BigInt)]));
}

function dumpFacts(replica: Replica, nowMs: number): DumpFacts {
  const { tree } = replica.world;
  const toWallMs = (monotonicMs: number) => nowMs + (monotonicMs - replica.monotonicMs);
  const ephemerals = [...tree.sessionsWithEphemerals()].map((session) => ({
    sessionId: BigInt(session),
    paths: [...tree.ephemeralsOf(session)].map((node) => tree.pathText(node)),
  }));
  if (!replica.isLeading) {
    const globalSessions = [...replica.world.sessions].map(({ id, timeoutMs }) => ({
      sessionId: BigInt(id),
      timeoutMs,
    }));
    return { globalSessions, ephemerals, connectionBuckets: [] };
  }
  return {
    sessionBuckets: replica.expiry.deadlines().map(([deadlineMs, ids]) => ({
      expiresAtMs: toWallMs(deadlineMs),
      members: ids.map(BigInt),
    })),
    ephemerals,
    connectionBuckets: [],
  };
}

function fileDescriptors(): { open: number; max: number } {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const max = /^Max open files\s+(\d+)/m.exec(limits);
    return {
      open: readdirSync('/proc/self/fd').length,
      max: max === null ? -1 : Number(max[1]),
    };
  } catch {
    return { open: -1, max: -1 }; // no /proc here
  }
}
