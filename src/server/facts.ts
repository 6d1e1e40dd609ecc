// Gathers what the four-letter words tell from where it lives: the replica, its clients, the storage, the process.

import { readdirSync, readFileSync } from 'node:fs';
import { OpCode } from '../../protocol/client/constants.js';
import type { Connection } from '../core/pipeline/connections.js';
import type { Replica } from '../core/replica.js';
import { environmentPairs } from './admin/environment.js';
import type { ConnectionFacts, DumpFacts, ServerFacts } from './admin/server-facts.js';
import { configurationLines, type ServerConfig } from './config/index.js';
import type { Storage } from './storage/index.js';

export interface FactSources {
  readonly config: ServerConfig;
  readonly replica: Replica;
  readonly storage: Storage;
  readonly version: string;
  readonly startedMs: number;
}

/** Interest bits as ZooKeeper shows them: just accepted, or reading. */
const JUST_ACCEPTED = 0;
const READING = 1;

export class FactGatherer {
  private readonly sources: FactSources;
  private traceMask = 306n; // ZooKeeper's own default; it has no effect here

  constructor(sources: FactSources) {
    this.sources = sources;
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
      mode: 'standalone',
      readOnly: false,
      minLatencyMs: Math.round(stats.latencyMinMs),
      averageLatencyMs: stats.latencyAvgMs,
      maxLatencyMs: Math.round(stats.latencyMaxMs),
      packetsReceived: stats.received,
      packetsSent: stats.sent,
      connections: [...clients].map((connection) => connectionFacts(connection, replica)),
      outstandingRequests: clients.outstanding,
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
      ensemble: undefined,
      leader: undefined,
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

  private metrics() {
    const { replica, storage } = this.sources;
    const { stats } = replica;
    const { syncs, avgSyncMs, maxSyncMs, checkpoints } = storage.stats();
    return {
      counters: new Map([
        ['commit_count', stats.writes],
        ['snap_count', checkpoints],
        ['connection_request_count', replica.clients.accepted],
        ['connection_rejected', stats.connectionsRefused],
        ['stale_sessions_expired', stats.sessionsExpired],
      ]),
      summaries: new Map([['fsynctime', { count: syncs, sum: syncs * avgSyncMs, min: 0, max: maxSyncMs }]]),
    };
  }
}

function connectionFacts(connection: Connection, replica: Replica): ConnectionFacts {
  const { address, port, received, sent, lane, session, state } = connection;
  const isOpen = state === 'open';
  return {
    address,
    port,
    interestOps: isOpen ? READING : JUST_ACCEPTED,
    queued: lane.length,
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
  return {
    sessionBuckets: replica.expiry.deadlines().map(([deadlineMs, ids]) => ({
      expiresAtMs: toWallMs(deadlineMs),
      members: ids.map(BigInt),
    })),
    ephemerals: [...tree.sessionsWithEphemerals()].map((session) => ({
      sessionId: BigInt(session),
      paths: [...tree.ephemeralsOf(session)].map((node) => tree.pathText(node)),
    })),
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
