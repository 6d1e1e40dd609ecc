// Options of election and replication (reference B6) and of what protects them (B2).

import { accepted, type InertOption, integer, text, trueFalse, unsupported, yesNo } from './option.js';

const NO_SASL =
  'servers do not prove themselves by SASL; use quorum.auth.secretPath, or sslQuorum with certificates on both sides';
const ONE_CONNECTION = 'the sockets between servers never block here, nor does closing them';
const NO_COMMIT_QUEUES = 'reads and commits take turns in one event loop, without threads or queues';

/** Servers tell each other the name of the ensemble when they meet, in a message of limited length. */
export const ENSEMBLE_NAME_LENGTH_MAX = 100;

export const QUORUM_OPTIONS = {
  ensembleName: text('ensemble.name', undefined, 'Servers link only to those with the same name.'),
  electionMinNotificationIntervalMs: integer('fastleader.minNotificationInterval', 200, 'First wait in ms for votes.', {
    min: 1,
  }),
  electionMaxNotificationIntervalMs: integer(
    'fastleader.maxNotificationInterval',
    60_000,
    'Longest wait in ms for votes.',
    { min: 1 },
  ),
  electionConnectTimeoutMs: integer(
    'cnxTimeout',
    5000,
    'Ms to connect to another server. There is one connection for each two servers, on the quorum port of the one with the lower id; the election port is not used.',
    { min: 1 },
  ),
  electionPortBindRetry: integer('electionPortBindRetry', 3, 'Tries to open the quorum port; 0: for ever.', {
    min: 0,
  }),
  leaderServes: yesNo('leaderServes', true, 'The leader takes clients too.', {
    notBuilt: 'a leader takes clients too; leave it out of their connect strings',
    harmless: ['yes'],
  }),
  leaderConnectDelayMs: integer('leaderConnectDelayDuringRetryMs', 100, 'Ms between tries to reach the leader.', {
    min: 0,
    accepted: 'servers are linked before one of them leads; a link that breaks is made again by itself',
  }),
  maxConcurrentSnapSyncs: integer('leader.maxConcurrentSnapSyncs', 10, 'Full copies sent to learners at once.', {
    also: ['maxConcurrentSnapSyncs', 'maxConcurrentSnapshots'],
    min: 1,
  }),
  observerReconnectDelayMs: integer('observer.reconnectDelayMs', 0, 'Longest random wait in ms of an observer.', {
    min: 0,
    accepted: 'what observers may cost a leader is bounded by leader.maxConcurrentSnapSyncs',
  }),
  quorumSecret: text(
    'quorum.auth.secret',
    undefined,
    'What servers prove to each other to know, 16 characters at least; the same on every server.',
    { secret: true },
  ),
  quorumSecretPath: text('quorum.auth.secretPath', undefined, 'File with it, instead.'),
  quorumSecretRequired: trueFalse(
    'quorum.auth.required',
    true,
    'Servers without the secret are turned away; false while it is being introduced.',
  ),
  sslQuorum: trueFalse('sslQuorum', false, 'TLS between servers, by ssl.quorum.*; the same on every server.'),
  quorumTlsReload: trueFalse(
    'sslQuorumReloadCertFiles',
    true,
    'Files of keys and certificates of ssl.quorum.* are read again when they change (ZooKeeper: false).',
  ),
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
  unsupported('quorum.auth.enableSasl', NO_SASL, ['false']),
  unsupported('quorum.auth.learnerRequireSasl', NO_SASL, ['false']),
  unsupported('quorum.auth.serverRequireSasl', NO_SASL, ['false']),
  accepted('quorum.auth.*', NO_SASL),
  accepted('quorum.cnxn.threads.size', 'connections between servers take no thread'),
];
