// Options of client connections, throttling and watches (reference B4, B5).

import { accepted, type InertOption, integer, list, trueFalse, unsupported } from './option.js';

const NO_STALE = 'a request over the limit waits unread in its socket; see throttledOpWaitTime';

const ONE_EVENT_LOOP = 'connections are served by one event loop, without threads or buffers to size';
const NO_REPLY_CACHE = 'replies are written straight into the connection, faster than a cache is read';
const ONE_WATCH_MANAGER = 'there is one watch manager, which forgets a closed connection at once';

export const CONNECTION_OPTIONS = {
  globalOutstandingLimit: integer('globalOutstandingLimit', 1000, 'Requests in flight above which reading stops.', {
    min: 1,
  }),
  maxCnxns: integer('maxCnxns', 0, 'Connections in total; 0: no limit.', { min: 0 }),
  connectionMaxTokens: integer('connectionMaxTokens', 0, 'Burst of new connections; 0: no limit.', { min: 0 }),
  connectionTokenFillTimeMs: integer('connectionTokenFillTime', 1, 'Ms between refills of connection tokens.', {
    min: 1,
  }),
  connectionTokenFillCount: integer('connectionTokenFillCount', 1, 'Tokens of one refill.', { min: 1 }),
  requestThrottleLimit: integer('requestThrottleLimit', 0, 'Requests in the pipeline; 0: no limit.', { min: 0 }),
  requestThrottleStallTimeMs: integer('requestThrottleStallTime', 100, 'Longest stall of a throttled request in ms.', {
    min: 0,
    accepted: NO_STALE,
  }),
  requestThrottleDropStale: trueFalse('requestThrottleDropStale', true, 'Drop stale requests while throttling.', {
    accepted: NO_STALE,
  }),
  throttledOpWaitTimeMs: integer('throttledOpWaitTime', 0, 'Wait in ms after which a request fails (-127); 0: never.', {
    min: 0,
  }),
  largeRequestMaxBytes: integer(
    'largeRequestMaxBytes',
    104_857_600,
    'Bytes of half-received requests of all clients together.',
    { min: 1 },
  ),
  largeRequestThresholdBytes: integer(
    'largeRequestThreshold',
    -1,
    'Size in bytes that makes a request large; -1: none.',
    { accepted: 'largeRequestMaxBytes counts every request that has come in part only' },
  ),
  outputLimitInMb: integer('outputLimitInMb', 256, 'MiB of replies and events that wait for slow readers together.', {
    min: 1,
  }),
  maxWatchesPerSession: integer('maxWatchesPerSession', 500_000, 'Watches of one session; 0: no limit.', { min: 0 }),
  maxEphemeralsPerSession: integer('maxEphemeralsPerSession', 100_000, 'Ephemerals of one session; 0: no limit.', {
    min: 0,
  }),
  memoryLimitInMb: integer(
    'memoryLimitInMb',
    0,
    'MiB the server may use before it refuses writes; 0: what the machine or container has.',
    { min: 0 },
  ),
  sessionlessCnxnTimeoutMs: integer('nio.sessionlessCnxnTimeout', 10_000, 'Ms a connection may stay without session.', {
    also: ['sessionlessCnxnTimeout'],
    min: 1,
  }),
  tcpKeepAlive: trueFalse('clientTcpKeepAlive', false, 'SO_KEEPALIVE on client connections.'),
  peerTcpKeepAlive: trueFalse('tcpKeepAlive', false, 'SO_KEEPALIVE between servers.'),
  readOnlyModeEnabled: trueFalse('readonlymode.enabled', false, 'Serve reads while there is no quorum.', {
    accepted: 'a server on its own never loses its quorum',
  }),
  fourLetterWords: list(
    '4lw.commands.whitelist',
    ['ruok', 'srvr', 'mntr', 'conf', 'isro', 'stat'],
    'Four-letter words that are answered; * is all of them (ZooKeeper: srvr).',
  ),
} as const;

export const CONNECTION_INERT: readonly InertOption[] = [
  unsupported('connectionFreezeTime', 'new connections are not dropped at random; see connectionMaxTokens', ['-1']),
  accepted('connectionDropIncrease', 'new connections are not dropped at random; see connectionMaxTokens'),
  accepted('connectionDropDecrease', 'new connections are not dropped at random; see connectionMaxTokens'),
  accepted('connectionDecreaseRatio', 'new connections are not dropped at random; see connectionMaxTokens'),
  unsupported('connection_throttle_weight_enabled', 'every new connection costs one token', ['false']),
  accepted('connection_throttle_global_session_weight', 'every new connection costs one token'),
  accepted('connection_throttle_local_session_weight', 'every new connection costs one token'),
  accepted('connection_throttle_renew_session_weight', 'every new connection costs one token'),
  accepted('requestStaleLatencyCheck', 'a request is admitted or refused at once and does not grow old in a queue'),
  accepted(
    'requestStaleConnectionCheck',
    'requests of a closed connection are always dropped before they are admitted',
  ),
  accepted('request_throttler.shutdownTimeout', 'requests admitted before a stop are always answered'),
  accepted('maxResponseCacheSize', NO_REPLY_CACHE),
  accepted('maxGetChildrenResponseCacheSize', NO_REPLY_CACHE),
  accepted('enableEagerACLCheck', 'ACLs are checked where the request is executed'),
  accepted('advancedFlowControlEnabled', 'flow control is always on'),
  accepted('serverCnxnFactory', ONE_EVENT_LOOP),
  accepted('nio.numSelectorThreads', ONE_EVENT_LOOP),
  accepted('nio.numWorkerThreads', ONE_EVENT_LOOP),
  accepted('nio.directBufferBytes', ONE_EVENT_LOOP),
  accepted('nio.shutdownTimeout', ONE_EVENT_LOOP),
  unsupported('netty.server.outstandingHandshake.limit', 'TLS handshakes are not counted; see maxCnxns', ['-1']),
  accepted('netty.*', ONE_EVENT_LOOP),
  accepted('earlyDropSecureConnectionHandshakes', 'a handshake without quorum costs the connection only'),
  unsupported('pathStats.*', 'requests are not counted by path; the audit log has them'),
  unsupported('messageTracker.*', 'packets of peers are not recorded; log.level=debug shows them', ['false']),
  accepted('watchManagerName', ONE_WATCH_MANAGER),
  accepted('watcherCleanThreadsNum', ONE_WATCH_MANAGER),
  accepted('watcherCleanThreshold', ONE_WATCH_MANAGER),
  accepted('watcherCleanIntervalInSeconds', ONE_WATCH_MANAGER),
  accepted('maxInProcessingDeadWatchers', ONE_WATCH_MANAGER),
  accepted('bitHashCacheSize', ONE_WATCH_MANAGER),
];
