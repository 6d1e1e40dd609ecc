// What a server tells over HTTP (reference A9, B8): the admin port with ZooKeeper's commands as JSON, checks for those
// who restart or route (`/livez`, `/readyz`), the metrics; and a port with the metrics alone, where a Prometheus
// provider is configured. All of that reads and asks for no login, so it is on loopback unless told otherwise. The two
// commands that move the whole tree, snapshot and restore, are for administrators (transfers.ts).

import type { ServerConfig } from '../config/index.js';
import type { Logger } from '../logging.js';
import { MaterialSource } from '../tls/material-source.js';
import { adminTlsSettings } from '../tls/settings.js';
import { ADMIN_COMMANDS, findAdminCommand, refusalOf, toJson } from './commands.js';
import { type HttpAnswer, HttpPort, type HttpRoute, type HttpTlsOptions } from './http-port.js';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';
import type { ServerFacts } from './server-facts.js';
import { TRANSFER_COMMANDS, type Transfers } from './transfers.js';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';

export interface OpenHttp {
  close(): Promise<void>;
}

/**
 * Opens the ports the configuration asks for. Throws ConfigError when one cannot be had; with the default admin port,
 * which nobody asked for and several servers on a machine share, that is a warning and the server goes without.
 */
export async function openHttp(
  config: ServerConfig,
  gather: () => ServerFacts,
  logger: Logger,
  transfers?: Transfers,
): Promise<OpenHttp> {
  const open: HttpPort[] = [];
  const close = async () => {
    await Promise.all(open.map((port) => port.close()));
  };
  try {
    if (config.adminEnableServer) {
      const port = adminPort(config, gather, logger, transfers);
      const address = await port.listen().catch((error: Error) => {
        if (config.adminPortGiven || !isInUse(error)) throw error;
        logger.warn(`no HTTP admin port: ${error.message}`);
      });
      if (address !== undefined) {
        open.push(port);
        logger.info(
          `admin commands on ${config.adminForceHttps ? 'https' : 'http'}://${address}${commandPath(config)}`,
        );
      }
    }
    if (/prometheus/i.test(config.metricsProviderClassName)) {
      const port = metricsPort(config, gather, logger);
      const address = await port.listen();
      open.push(port);
      logger.info(`metrics on http://${address}/metrics`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function isInUse(error: Error): boolean {
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}

/** Whether it was written with slashes around it or not: `/commands`, and nothing for `/`. */
function commandPath({ adminCommandUrl }: ServerConfig): string {
  const inner = adminCommandUrl.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '' : `/${inner}`;
}

function adminPort(
  config: ServerConfig,
  gather: () => ServerFacts,
  logger: Logger,
  transfers: Transfers | undefined,
): HttpPort {
  const prefix = `${commandPath(config)}/`;
  return new HttpPort(
    {
      host: config.adminServerAddress,
      port: config.adminServerPort,
      idleTimeoutMs: config.adminIdleTimeoutMs,
      portOption: 'admin.serverPort',
      addressOption: 'admin.serverAddress',
      offSwitch: 'admin.enableServer=false',
      tls: adminTls(config, logger),
      takeOver: (path, request, response) =>
        transfers !== undefined &&
        path.startsWith(prefix) &&
        transfers.handle(path.slice(prefix.length), request, response),
    },
    adminRoute(config, gather, transfers === undefined ? [] : TRANSFER_COMMANDS),
    logger,
  );
}

/** Throws ConfigError when key material is missing or cannot be used. */
function adminTls(config: ServerConfig, logger: Logger): HttpTlsOptions | undefined {
  if (!config.adminForceHttps && !config.adminPortUnification) return undefined;
  const source = new MaterialSource(adminTlsSettings(config), logger, { reload: config.tlsReload });
  return { source, alsoPlain: !config.adminForceHttps };
}

function metricsPort(config: ServerConfig, gather: () => ServerFacts, logger: Logger): HttpPort {
  return new HttpPort(
    {
      host: config.metricsHttpHost,
      port: config.metricsHttpPort,
      idleTimeoutMs: config.adminIdleTimeoutMs,
      portOption: 'metricsProvider.httpPort',
      addressOption: 'metricsProvider.httpHost',
      offSwitch: 'remove metricsProvider.className',
    },
    (path) => (path === '/metrics' ? metrics(gather()) : json(404, { error: 'there is only /metrics here' })),
    logger,
  );
}

/** The paths of the admin port. `others`: commands that are answered elsewhere, for the list of all. */
export function adminRoute(
  config: ServerConfig,
  gather: () => ServerFacts,
  others: readonly { readonly name: string; readonly aliases: readonly string[] }[] = [],
): HttpRoute {
  const prefix = commandPath(config);
  const list = [...ADMIN_COMMANDS, ...others].map(({ name, aliases }) => ({
    name,
    aliases,
    path: `${prefix}/${name}`,
  }));
  const paths = ['/livez', '/readyz', '/metrics', `${prefix}/`, ...list.map(({ path }) => path)];
  return (path) => {
    if (path === '/livez') return plain(200, 'ok');
    if (path === '/readyz') return gather().serving ? plain(200, 'ok') : plain(503, NOT_SERVING);
    if (path === '/metrics') return metrics(gather());
    if (path === prefix || path === `${prefix}/`) return json(200, { commands: list });
    if (path.startsWith(`${prefix}/`)) {
      const answer = runCommand(path.slice(prefix.length + 1), gather, config);
      if (answer !== undefined) return answer;
    }
    return json(404, { error: 'there is nothing at this path', paths });
  };
}

/** Undefined when there is no such command. */
function runCommand(name: string, gather: () => ServerFacts, config: ServerConfig): HttpAnswer | undefined {
  const instead = refusalOf(name);
  if (instead !== undefined) {
    return json(403, { command: name, error: `this port changes nothing in passing: ${instead}` });
  }
  const command = findAdminCommand(name);
  if (command === undefined) return undefined;
  const facts = gather();
  if (!facts.serving && !command.always) return json(503, { command: command.name, error: NOT_SERVING });
  return json(200, { command: command.name, error: null, ...command.answer(facts, config) });
}

function metrics(facts: ServerFacts): HttpAnswer {
  return { status: 200, contentType: PROMETHEUS_CONTENT_TYPE, body: prometheusText(facts) };
}

function plain(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: toJson(value) };
}
