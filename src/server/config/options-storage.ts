// Options of storage and of the tree (reference B3). The database is SQLite with incremental checkpoints, so what
// sizes and places ZooKeeper's own files is understood and without effect.

import { accepted, type InertOption, integer, trueFalse, unsupported, yesNo } from './option.js';

const ALONE = 'it concerns an ensemble, and this is a server on its own';

const ONE_DATABASE = 'the log lives in the database, which manages its file by itself';
const GROUP_COMMIT = 'requests that arrive together are one batch with one fsync, without waiting for more';

export const STORAGE_OPTIONS = {
  snapCount: integer('snapCount', 100_000, 'Transactions between checkpoints.', { min: 2 }),
  snapSizeLimitInKb: integer('snapSizeLimitInKb', 4_194_304, 'Log in KiB between checkpoints; -1: not by size.'),
  commitLogCount: integer('commitLogCount', 500, 'Committed transactions kept in memory for learners.', {
    min: 1,
    accepted: ALONE,
  }),
  forceSync: yesNo('forceSync', true, 'Wait for the disk before a write is acknowledged; `no` may lose data.'),
  fsyncWarningThresholdMs: integer('fsync.warningthresholdms', 1000, 'A slower fsync, in ms, is logged.', { min: 0 }),
  dataDirAutocreate: trueFalse('datadir.autocreate', true, 'Create dataDir when it is missing.'),
  digestEnabled: trueFalse('digest.enabled', true, 'Keep and compare a digest of the tree.', {
    accepted: 'the digest is always kept; it costs nothing that could be saved',
  }),
  extendedTypesEnabled: trueFalse('extendedTypesEnabled', true, 'Nodes with a time to live (ZooKeeper: off).'),
  containerCheckIntervalMs: integer('znode.container.checkIntervalMs', 60_000, 'Ms between container checks.', {
    min: 0,
  }),
  containerMaxPerMinute: integer('znode.container.maxPerMinute', 10_000, 'Containers deleted per minute.', { min: 1 }),
  containerMaxNeverUsedIntervalMs: integer(
    'znode.container.maxNeverUsedIntervalMs',
    0,
    'Age in ms at which a container that never had a child goes; 0: never.',
    { min: 0 },
  ),
  skipACL: yesNo('skipACL', false, 'Ignore every ACL.'),
  juteMaxBuffer: integer('jute.maxbuffer', 1_048_575, 'Largest packet in bytes; clients must agree.', { min: 1024 }),
  juteMaxBufferExtraSizeOption: integer(
    'jute.maxbuffer.extrasize',
    undefined,
    'Slack in bytes for records between servers; jute.maxbuffer when not given.',
    { min: 1024 },
  ),
  enforceQuota: trueFalse('enforceQuota', false, 'Refuse writes over a quota (off: only a warning).'),
} as const;

export const STORAGE_INERT: readonly InertOption[] = [
  accepted('snapshotSizeFactor', 'a learner is brought up to date from the log as far as the log reaches'),
  accepted('preAllocSize', ONE_DATABASE),
  accepted('txnLogSizeLimitInKb', ONE_DATABASE),
  accepted('maxBatchSize', GROUP_COMMIT),
  accepted('flushDelay', GROUP_COMMIT),
  accepted('maxWriteQueuePollTime', GROUP_COMMIT),
  accepted('snapshot.compression.method', 'checkpoints are rows that change one by one'),
  accepted('snapshot.trust.empty', 'log and checkpoint are one database; one is never there without the other'),
  unsupported('db.autocreate', 'an empty server joins by a full copy from its peers', ['true']),
  accepted('serializeLastProcessedZxid.enabled', 'a checkpoint always knows its exact zxid'),
  accepted('closeSessionTxn.enabled', 'closing a session is one log entry, executed alike on every server'),
  unsupported('emulate353TTLNodes', 'the encoding of TTL nodes of release 3.5.3 is not written', ['false']),
];
