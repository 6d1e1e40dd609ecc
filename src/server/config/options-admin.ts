// Options of the HTTP side: admin commands, metrics, audit (reference B8, A9), and names that belong to a client and
// are sometimes found in a server's file.

import { accepted, type InertOption, integer, port, text, trueFalse, unsupported } from './option.js';

const NO_WRITES = 'the admin port only reads; for a backup, stop the server and copy its directory';

const FOR_CLIENTS = 'that is an option of a client, not of a server';
const NO_ADMIN_TLS = 'the admin port speaks plain HTTP on loopback; put a proxy in front of it';

export const ADMIN_OPTIONS = {
  adminEnableServer: trueFalse('admin.enableServer', true, 'Offer the admin commands over HTTP.'),
  adminServerAddress: text('admin.serverAddress', '127.0.0.1', 'Address of the admin port (ZooKeeper: all).'),
  adminServerPort: port('admin.serverPort', 9141, 'Admin port (ZooKeeper: 8080, which much else uses).'),
  adminCommandUrl: text('admin.commandURL', '/commands', 'Path in front of the commands.'),
  adminIdleTimeoutMs: integer('admin.idleTimeout', 30_000, 'Ms an idle HTTP connection stays open.', { min: 1 }),
  adminSnapshotEnabled: trueFalse('admin.snapshot.enabled', true, 'The command snapshot is offered.', {
    notBuilt: NO_WRITES,
    harmless: ['false'],
  }),
  adminRestoreEnabled: trueFalse('admin.restore.enabled', true, 'The command restore is offered.', {
    notBuilt: NO_WRITES,
    harmless: ['false'],
  }),
  adminRateLimiterIntervalMs: integer('admin.rateLimiterIntervalInMS', 300_000, 'Ms between snapshots or restores.', {
    min: 0,
    notBuilt: NO_WRITES,
  }),
  metricsProviderClassName: text(
    'metricsProvider.className',
    'DefaultMetricsProvider',
    'One that names Prometheus opens metricsProvider.httpPort.',
  ),
  metricsHttpHost: text('metricsProvider.httpHost', '0.0.0.0', 'Address of the metrics port.'),
  metricsHttpPort: port('metricsProvider.httpPort', 7000, 'Port for Prometheus, path /metrics.'),
  auditEnable: trueFalse('audit.enable', false, 'Write an audit log.', { notBuilt: 'there is no audit log yet' }),
} as const;

export const ADMIN_INERT: readonly InertOption[] = [
  unsupported('admin.portUnification', NO_ADMIN_TLS, ['false']),
  unsupported('admin.forceHttps', NO_ADMIN_TLS, ['false']),
  unsupported('admin.needClientAuth', NO_ADMIN_TLS, ['false', 'true']),
  accepted('admin.httpVersion', 'HTTP/1.1 is spoken, and 1.0 with those who ask for it'),
  unsupported('audit.impl.class', 'Java classes cannot be loaded; the audit log is JSON lines'),
  accepted('request.timeout', FOR_CLIENTS),
  accepted('disableAutoWatchReset', FOR_CLIENTS),
  accepted('clientCnxnSocket', FOR_CLIENTS),
  accepted('server.realm', FOR_CLIENTS),
  accepted('hostProvider.*', FOR_CLIENTS),
  accepted('shuffleDnsResponse', FOR_CLIENTS),
  accepted('jmx.*', 'there is no JMX; metrics are on the admin port'),
];
