// What a server's configuration means to its replica.

import { randomBytes } from 'node:crypto';
import type { ReplicaOptions } from '../core/io.js';
import { limits } from '../core/limits.js';
import type { EnsembleOptions } from '../core/zab/surroundings.js';
import { createAuthenticate } from './auth.js';
import { requiredSchemes, type ServerConfig } from './config/index.js';
import type { EnsembleAuth } from './ensemble-auth.js';

/** A checkpoint is due after this many bytes of requests even where the configuration allows far more. */
const CHECKPOINT_BYTES_MAX = 268_435_456;
/** Batches kept in memory for learners that were away for a moment. */
const HISTORY_BYTES_MAX = 33_554_432;
/** As ZooKeeper's finalizeWait (E75). */
const VOTE_SETTLE_MS = 200;

/** `ensemble`: proves the scheme of that name. */
export function replicaOptions(config: ServerConfig, ensemble?: EnsembleAuth): ReplicaOptions {
  return {
    serverId: config.serverId,
    ensemble: ensembleOptions(config),
    tickTimeMs: config.tickTimeMs,
    minSessionTimeoutMs: config.minSessionTimeoutMs,
    maxSessionTimeoutMs: config.maxSessionTimeoutMs,
    // Both bound the requests under way, and above either a request waits.
    outstandingMax: Math.min(config.globalOutstandingLimit, config.requestThrottleLimit || Number.POSITIVE_INFINITY),
    throttledWaitMs: config.throttledOpWaitTimeMs,
    watchesPerSessionMax: config.maxWatchesPerSession || Number.POSITIVE_INFINITY,
    ephemeralsPerSessionMax: config.maxEphemeralsPerSession || Number.POSITIVE_INFINITY,
    enforceQuota: config.enforceQuota,
    skipAcl: config.skipACL,
    ttlNodes: config.extendedTypesEnabled,
    requiredSchemes: requiredSchemes(config),
    keepsSaslFailures: config.allowSaslFailedClients,
    containerCheckMs: config.containerCheckIntervalMs,
    containersPerMinute: config.containerMaxPerMinute,
    containerNeverUsedMs: config.containerMaxNeverUsedIntervalMs,
    // At a point of its own between half of it and all, so that not all servers take checkpoints together (E87).
    checkpointEntries: Math.ceil(config.snapCount * (0.5 + Math.random() / 2)),
    checkpointBytes:
      config.snapSizeLimitInKb > 0
        ? Math.min(config.snapSizeLimitInKb * 1024, CHECKPOINT_BYTES_MAX)
        : CHECKPOINT_BYTES_MAX,
    authenticate: createAuthenticate({
      superDigest: config.superDigest ?? null,
      digestAlgorithm: config.digestAlg,
      digestEnabled: config.digestAuthEnabled,
      ...(ensemble === undefined ? {} : { ensemble }),
    }),
    hashSeed: randomBytes(6).readUIntBE(0, 6),
  };
}

function ensembleOptions(config: ServerConfig): EnsembleOptions {
  const { servers, serverId, tickTimeMs, initLimit, syncLimit } = config;
  const voters = servers.filter(({ role }) => role === 'participant');
  return {
    voters: config.replicated
      ? voters.map(({ id, weight, group }) => ({ id, weight, group: group ?? 0 }))
      : [{ id: serverId, weight: 1, group: 0 }],
    observers: config.replicated ? servers.filter(({ role }) => role === 'observer').map(({ id }) => id) : [],
    initLimitMs: initLimit * tickTimeMs,
    syncLimitMs: syncLimit * tickTimeMs,
    pingMs: tickTimeMs / 2,
    voteRepeatMsMin: config.electionMinNotificationIntervalMs,
    voteRepeatMsMax: config.electionMaxNotificationIntervalMs,
    voteSettleMs: VOTE_SETTLE_MS,
    snapshotsMax: config.maxConcurrentSnapSyncs,
    historyBytesMax: HISTORY_BYTES_MAX,
    epochEntriesMax: limits.epochEntriesMax,
  };
}
