// Options of the server as a whole: time, place, addresses of clients, the ensemble (reference B1), and the event
// loop's monitor.

import { accepted, type InertOption, integer, oneOf, port, text, trueFalse, unsupported } from './option.js';

const NO_EXPORTER_THREADS = 'metrics are rendered by the server itself, without threads or queue of their own';
const ONE_ADDRESS = 'the first address of each server is used; give it a name that resolves to a reachable one';

export const CORE_OPTIONS = {
  tickTimeMs: integer('tickTime', 2000, 'Basic time unit in ms; sessions expire on its multiples.', { min: 1 }),
  dataDir: text('dataDir', './data', 'Folder of the database and of the file myid.'),
  dataLogDirOption: text('dataLogDir', undefined, 'Folder of the log; dataDir when not given.', {
    accepted: 'log and checkpoint are one database in dataDir, written in one transaction',
  }),
  clientPort: port('clientPort', undefined, 'TCP port for clients.'),
  clientPortAddress: text('clientPortAddress', undefined, 'Address to listen on for clients; all when not given.'),
  secureClientPort: port('secureClientPort', undefined, 'TCP port for clients over TLS; see ssl.*.'),
  secureClientPortAddress: text('secureClientPortAddress', undefined, 'Address of the TLS port; all when not given.'),
  clientPortListenBacklog: integer('clientPortListenBacklog', -1, 'Connections waiting to be accepted; -1: 511.'),
  maxClientCnxns: integer('maxClientCnxns', 60, 'Connections from one IP address; 0: no limit.', { min: 0 }),
  minSessionTimeoutOption: integer('minSessionTimeout', -1, 'Shortest session timeout in ms; -1: 2 ticks.'),
  maxSessionTimeoutOption: integer('maxSessionTimeout', -1, 'Longest session timeout in ms; -1: 20 ticks.'),
  initLimit: integer('initLimit', 10, 'Ticks a learner may take to connect and synchronise.', { min: 1 }),
  syncLimit: integer('syncLimit', 5, 'Ticks a learner may stay silent.', { min: 1 }),
  connectToLearnerMasterLimitOption: integer(
    'connectToLearnerMasterLimit',
    undefined,
    'Ticks a follower tries to reach its leader; initLimit when not given.',
    { min: 1, accepted: 'a learner has initLimit for both, to reach its leader and to be synchronised' },
  ),
  peerTypeOption: oneOf('peerType', ['participant', 'observer'], 'participant', 'Part of this server in votes.'),
  dynamicConfigFile: text('dynamicConfigFile', undefined, 'File with the server lines, as reconfig leaves it.'),
  standaloneEnabled: trueFalse('standaloneEnabled', true, 'A single server runs without an ensemble.'),
  reconfigEnabled: trueFalse('reconfigEnabled', false, 'Clients may change the members of the ensemble.', {
    notBuilt: 'the members of an ensemble cannot be changed by clients yet',
  }),
  localSessionsEnabled: trueFalse('localSessionsEnabled', false, 'Sessions outside the ensemble.', {
    accepted: 'every session is known to the whole ensemble; creating one costs no extra round trip here',
  }),
  quorumListenOnAllIPs: trueFalse('quorumListenOnAllIPs', false, 'Listen for other servers on all addresses.'),
  autopurgeSnapRetainCount: integer('autopurge.snapRetainCount', 3, 'Snapshots to keep.', {
    accepted: 'there is one checkpoint, and the log is cut behind it by itself',
    min: 3,
  }),
  autopurgePurgeIntervalHours: integer('autopurge.purgeInterval', 0, 'Hours between purges.', {
    accepted: 'there is one checkpoint, and the log is cut behind it by itself',
    min: 0,
  }),
  eventLoopMonitorEnabled: trueFalse('jvm.pause.monitor', false, 'Log and measure stalls of the event loop.'),
  eventLoopStallInfoThresholdMs: integer('jvm.pause.info-threshold.ms', 1000, 'Stall in ms logged as info.', {
    min: 1,
  }),
  eventLoopStallWarnThresholdMs: integer('jvm.pause.warn-threshold.ms', 10_000, 'Stall in ms logged as warning.', {
    min: 1,
  }),
  eventLoopMonitorIntervalMs: integer('jvm.pause.sleep.time.ms', 500, 'How often a stall is looked for, in ms.', {
    min: 1,
  }),
  logLevel: oneOf('log.level', ['debug', 'info', 'warn', 'error'], 'info', 'Least severe level that is logged.'),
  logFormat: oneOf('log.format', ['auto', 'text', 'json'], 'auto', 'auto: text on a terminal, JSON lines otherwise.'),
} as const;

export const CORE_INERT: readonly InertOption[] = [
  accepted('localSessionsUpgradingEnabled', 'every session is known to the whole ensemble'),
  accepted('syncEnabled', 'an observer always keeps its own database'),
  unsupported('electionAlg', 'there is one election algorithm, that of number 3', ['3']),
  unsupported('observerMasterPort', 'observers are served by the leader', ['-1', '0']),
  unsupported('oraclePath', 'no oracle decides a tie; run three servers'),
  unsupported('multiAddress.enabled', ONE_ADDRESS, ['false']),
  accepted('multiAddress.reachabilityCheckTimeoutMs', ONE_ADDRESS),
  accepted('multiAddress.reachabilityCheckEnabled', ONE_ADDRESS),
  accepted('metricsProvider.exportJvmInfo', 'facts about the Node process are always exported'),
  accepted('metricsProvider.numWorkerThreads', NO_EXPORTER_THREADS),
  accepted('metricsProvider.maxQueueSize', NO_EXPORTER_THREADS),
  accepted('metricsProvider.workerShutdownTimeoutMs', NO_EXPORTER_THREADS),
];
