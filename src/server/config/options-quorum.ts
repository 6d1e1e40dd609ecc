// Options of election and replication (reference B6) and of what protects them (B2).

import { accepted, type InertOption, integer, trueFalse, unsupported, yesNo } from './option.js';

const ALONE = 'it concerns an ensemble, and this is a server on its own';

const NO_SASL = 'servers do not prove themselves by SASL; use sslQuorum with certificates on both sides';
const ONE_CONNECTION = 'the sockets between servers never block here, nor does closing them';
const NO_COMMIT_QUEUES = 'reads and commits take turns in one event loop, without threads or queues';

export const QUORUM_OPTIONS = {
  electionMinNotificationIntervalMs: integer('fastleader.minNotificationInterval', 200, 'First wait in ms for votes.', {
    min: 1,
    accepted: ALONE,
  }),
  electionMaxNotificationIntervalMs: integer(
    'fastleader.maxNotificationInterval',
    60_000,
    'Longest wait in ms for votes.',
    { min: 1, accepted: ALONE },
  ),
  electionConnectTimeoutMs: integer('cnxTimeout', 5000, 'Ms to connect to a peer for an election.', {
    min: 1,
    accepted: ALONE,
  }),
  electionPortBindRetry: integer('electionPortBindRetry', 3, 'Tries to bind the ports for peers; 0: for ever.', {
    min: 0,
    accepted: ALONE,
  }),
  leaderServes: yesNo('leaderServes', true, 'The leader takes clients too.', { accepted: ALONE }),
  leaderConnectDelayMs: integer('leaderConnectDelayDuringRetryMs', 100, 'Ms between tries to reach the leader.', {
    min: 0,
    accepted: ALONE,
  }),
  maxConcurrentSnapSyncs: integer('leader.maxConcurrentSnapSyncs', 10, 'Full copies sent to learners at once.', {
    also: ['maxConcurrentSnapSyncs', 'maxConcurrentSnapshots'],
    min: 1,
    accepted: ALONE,
  }),
  observerReconnectDelayMs: integer('observer.reconnectDelayMs', 0, 'Longest random wait in ms of an observer.', {
    min: 0,
    accepted: ALONE,
  }),
  sslQuorum: trueFalse('sslQuorum', false, 'TLS between servers.', { accepted: ALONE }),
} as const;

export const QUORUM_INERT: readonly InertOption[] = [
  unsupported('quorumCnxnTimeoutMs', 'a silent peer is given up by syncLimit', ['-1']),
  unsupported('leader.maxTimeToWaitForEpoch', 'a leader waits initLimit ticks for its quorum', ['-1']),
  accepted('leader.maxConcurrentDiffSyncs', 'changes for learners are sent as the log has them and hold nothing up'),
  accepted('maxConcurrentDiffSyncs', 'changes for learners are sent as the log has them and hold nothing up'),
  accepted('leader.ackLoggingFrequency', 'every acknowledgement is measured'),
  accepted('learner.asyncSending', ONE_CONNECTION),
  accepted('learner.closeSocketAsync', ONE_CONNECTION),
  accepted('leader.closeSocketAsync', ONE_CONNECTION),
  accepted('forward_learner_requests_to_commit_processor_disabled', NO_COMMIT_QUEUES),
  accepted('follower.skipLearnerRequestToNextProcessor', NO_COMMIT_QUEUES),
  accepted('commitProcessor.*', NO_COMMIT_QUEUES),
  accepted('observer.election.DelayMs', 'an observer only asks who leads; it does not disturb an election'),
  accepted('observer.election.delayMs', 'an observer only asks who leads; it does not disturb an election'),
  accepted('observerMaster.sizeLimit', 'observers are served by the leader'),
  unsupported('portUnification', 'the port for peers is either TLS or plain; see sslQuorum', ['false']),
  accepted('sslQuorumReloadCertFiles', 'certificates are read again whenever their files change'),
  unsupported('quorum.auth.enableSasl', NO_SASL, ['false']),
  unsupported('quorum.auth.learnerRequireSasl', NO_SASL, ['false']),
  unsupported('quorum.auth.serverRequireSasl', NO_SASL, ['false']),
  accepted('quorum.auth.*', NO_SASL),
  accepted('quorum.cnxn.threads.size', 'connections between servers take no thread'),
];
