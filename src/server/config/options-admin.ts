// Options of the HTTP side: admin commands, metrics, audit (reference B8, A9), and names that belong to a client and
// are sometimes found in a server's file.

import { accepted, type InertOption, integer, port, text, trueFalse, unsupported } from './option.js';

const FOR_CLIENTS = 'that is an option of a client, not of a server';

export const ADMIN_OPTIONS = {
  adminEnableServer: trueFalse('admin.enableServer', true, 'Offer the admin commands over HTTP.'),
  adminServerAddress: text('admin.serverAddress', '127.0.0.1', 'Address of the admin port (ZooKeeper: all).'),
  adminServerPort: port('admin.serverPort', 9141, 'Admin port (ZooKeeper: 8080, which much else uses).'),
  adminCommandUrl: text('admin.commandURL', '/commands', 'Path in front of the commands.'),
  adminIdleTimeoutMs: integer('admin.idleTimeout', 30_000, 'Ms an idle HTTP connection stays open.', { min: 1 }),
  adminPortUnification: trueFalse(
    'admin.portUnification',
    false,
    'The admin port takes HTTPS as well, with ssl.quorum.keyStore.* or, without that, ssl.keyStore.*.',
  ),
  adminForceHttps: trueFalse('admin.forceHttps', false, 'The admin port takes HTTPS only.'),
  adminNeedClientAuth: trueFalse('admin.needClientAuth', false, 'Over HTTPS, a certificate is needed.'),
  adminSnapshotEnabled: trueFalse('admin.snapshot.enabled', true, 'The command snapshot is offered to administrators.'),
  adminRestoreEnabled: trueFalse('admin.restore.enabled', true, 'The command restore is offered to administrators.'),
  adminRateLimiterIntervalMs: integer('admin.rateLimiterIntervalInMS', 300_000, 'Ms between snapshots or restores.', {
    min: 0,
  }),
  metricsProviderClassName: text(
    'metricsProvider.className',
    'DefaultMetricsProvider',
    'One that names Prometheus opens metricsProvider.httpPort.',
  ),
  metricsHttpHost: text('metricsProvider.httpHost', '0.0.0.0', 'Address of the metrics port.'),
  metricsHttpPort: port('metricsProvider.httpPort', 7000, 'Port for Prometheus, path /metrics.'),
  auditEnable: trueFalse('audit.enable', false, 'Write an audit log: who changed what, as lines of JSON.'),
  auditFile: text('audit.file', undefined, 'File of the audit log; <dataDir>/audit.log when not given.'),
  auditFileSizeInMb: integer('audit.fileSizeInMb', 64, 'MiB at which the audit log begins a new file.', { min: 1 }),
  auditFilesKept: integer('audit.filesKept', 10, 'Full files of the audit log that are kept.', { min: 0, max: 1000 }),
} as const;

export const ADMIN_INERT: readonly InertOption[] = [
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
