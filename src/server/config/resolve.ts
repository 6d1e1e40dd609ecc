// From gathered settings to a configuration: values are read, what follows from others is filled in, and what does not
// fit together is refused. Pure: the two other files that may matter (myid, the dynamic file) are asked for through a
// function.

import { type Ensemble, type HostPort, parseEnsemble, type ServerSpec } from './ensemble.js';
import { ConfigError, type ConfigWarning } from './errors.js';
import type { Option } from './option.js';
import { OPTIONS, type OptionKey, type OptionValues } from './options.js';
import { ENSEMBLE_NAME_LENGTH_MAX } from './options-quorum.js';
import { checkClientAuth, checkPeerAuth } from './protection.js';
import type { ServerConfig } from './server-config.js';
import { type Gathered, gather, type Setting, settingsOfFile } from './settings.js';

/** The text of a file, or undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

/** Everything a configuration is made of. */
export interface ResolveRequest {
  /** The main file, when one was given. */
  readonly file: string | undefined;
  /** From the weakest to the strongest. */
  readonly sources: readonly (readonly Setting[])[];
  /** From a flag: instead of the file myid. */
  readonly serverId: number | undefined;
  readonly readText: ReadText;
}

/** Throws ConfigError for what no server can be started with. */
export function resolveConfig(request: ResolveRequest): { config: ServerConfig; warnings: ConfigWarning[] } {
  const gathered = gather(request.sources);
  const warnings = [...gathered.warnings];
  const warn = (key: string | undefined, text: string, setting?: Setting): void => {
    warnings.push({ severity: 'warning', key, origin: setting?.origin, text });
  };
  const values = readValues(gathered.settings);
  if (request.file !== undefined) checkFile(gathered, warn);
  const ensemble = readEnsemble(request, gathered, values, warn);
  const replicated = isReplicated(ensemble, values);
  const serverId = readServerId(request, values, ensemble, replicated);
  const own = replicated ? ensemble.servers.find((server) => server.id === serverId) : ensemble.servers[0];
  const timeouts = sessionTimeouts(values, gathered.settings);
  const {
    dataLogDirOption,
    minSessionTimeoutOption: _min,
    maxSessionTimeoutOption: _max,
    connectToLearnerMasterLimitOption,
    peerTypeOption,
    juteMaxBufferExtraSizeOption,
    ...rest
  } = values;
  const clientListen = listenAddress(request, gathered, values, own);
  if (clientListen === undefined && values.secureClientPort === undefined && own?.secureClient === undefined) {
    warn('clientPort', 'not set, nor is another port for clients: nobody will be able to connect');
  }
  if (own !== undefined && gathered.settings.has('peerTypeOption') && own.role !== peerTypeOption) {
    warn('peerType', `is ${peerTypeOption}, but the server's own line says ${own.role}, which counts`);
  }
  checkEnsemble(ensemble, replicated, warn);
  if (replicated && request.file !== undefined) checkLimits(gathered);
  checkRelations(values, gathered.settings, warn);
  checkClientAuth(values, gathered.settings);
  if (replicated && own !== undefined) checkPeerAuth(values, own, gathered.settings);
  const config: ServerConfig = {
    ...rest,
    ...timeouts,
    file: request.file,
    dataLogDir: dataLogDirOption ?? values.dataDir,
    connectToLearnerMasterLimit: connectToLearnerMasterLimitOption ?? values.initLimit,
    juteMaxBufferExtraSize: juteMaxBufferExtraSizeOption ?? values.juteMaxBuffer,
    peerType: own?.role ?? peerTypeOption,
    serverId,
    servers: replicated ? ensemble.servers : [],
    serversVersion: ensemble.version,
    replicated,
    clientListen,
    clientPort: clientListen?.port,
    clientPortAddress: clientListen?.host,
    secureClientListen: secureListenAddress(gathered, values, own, clientListen),
    adminPortGiven: gathered.settings.has('adminServerPort'),
  };
  return { config: Object.freeze(config), warnings };
}

type Warn = (key: string | undefined, text: string, setting?: Setting) => void;

function readValues(settings: ReadonlyMap<OptionKey, Setting>): OptionValues {
  const values: Partial<Record<OptionKey, unknown>> = {};
  for (const key of Object.keys(OPTIONS) as OptionKey[]) {
    const option: Option<unknown> = OPTIONS[key];
    const setting = settings.get(key);
    values[key] = setting === undefined ? option.defaultValue : readSetting(option, setting);
  }
  return values as OptionValues;
}

function readSetting(option: Option<unknown>, setting: Setting): unknown {
  const reading = option.read(setting.value);
  if ('value' in reading) return reading.value;
  throw new ConfigError({
    origin: setting.origin,
    key: setting.key,
    problem: option.secret ? 'has a value that cannot be used' : reading.problem,
    remedy:
      option.defaultValue === undefined
        ? 'change or remove it'
        : `change or remove it (default ${option.defaultValue})`,
  });
}

/** A file is meant for a server with data, so it has to say where they are; a server without one may take the default. */
function checkFile(gathered: Gathered, warn: Warn): void {
  if (!gathered.settings.has('dataDir')) {
    throw new ConfigError({
      key: 'dataDir',
      problem: 'is not set in the file, nor by a flag',
      remedy: 'name the folder for the data, such as dataDir=/var/lib/zabra',
    });
  }
  if (!gathered.settings.has('tickTimeMs')) {
    warn('tickTime', `not set; ${OPTIONS.tickTimeMs.defaultValue} ms is used, where ZooKeeper's code would take 3000`);
  }
}

function readEnsemble(request: ResolveRequest, gathered: Gathered, values: OptionValues, warn: Warn): Ensemble {
  const inMain = parseEnsemble(gathered.ensembleLines);
  const file = values.dynamicConfigFile;
  if (file === undefined) return inMain;
  const text = request.readText(file);
  if (text === undefined) {
    warn('dynamicConfigFile', `there is no ${file} yet; the server lines of the main configuration count`);
    return inMain;
  }
  const dynamic = gather([settingsOfFile(text, file)]);
  for (const setting of dynamic.settings.values()) {
    throw new ConfigError({
      origin: setting.origin,
      key: setting.key,
      problem: 'does not belong into a dynamic configuration file',
      remedy: 'move it to the main file; only server, group, weight and version lines stay here',
    });
  }
  if (inMain.servers.length > 0) warn('dynamicConfigFile', `${file} counts; the server lines beside it do not`);
  return parseEnsemble(dynamic.ensembleLines);
}

function isReplicated({ servers }: Ensemble, values: OptionValues): boolean {
  const voters = servers.filter((server) => server.role === 'participant').length;
  return servers.length > 0 && (!values.standaloneEnabled || voters > 1 || servers.length > voters);
}

function readServerId(
  request: ResolveRequest,
  values: OptionValues,
  { servers }: Ensemble,
  replicated: boolean,
): number {
  if (!replicated) return 0;
  const file = `${values.dataDir}/myid`;
  const text = request.serverId?.toString() ?? request.readText(file)?.trim();
  const origin = request.serverId === undefined ? file : 'the flag server-id';
  if (text === undefined) {
    throw new ConfigError({
      key: 'myid',
      problem: `there is no file ${file}, so this server does not know which of the ${servers.length} it is`,
      remedy: 'write its number into that file, or give the flag --server-id',
    });
  }
  const id = Number(text);
  if (!/^\d+$/.test(text)) {
    throw new ConfigError({
      key: 'myid',
      problem: `'${text}' in ${origin} is not a number`,
      remedy: 'write the number of this server',
    });
  }
  if (!servers.some((server) => server.id === id)) {
    const ids = servers.map((server) => server.id).join(', ');
    throw new ConfigError({
      key: 'myid',
      problem: `${origin} says ${id}, but the servers are ${ids}`,
      remedy: `add a line server.${id}=… or correct the number`,
    });
  }
  return id;
}

function sessionTimeouts(values: OptionValues, settings: ReadonlyMap<OptionKey, Setting>) {
  const min = values.minSessionTimeoutOption;
  const max = values.maxSessionTimeoutOption;
  const minSessionTimeoutMs = min === -1 ? 2 * values.tickTimeMs : min;
  const maxSessionTimeoutMs = max === -1 ? 20 * values.tickTimeMs : max;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const setting = settings.get('minSessionTimeoutOption') ?? settings.get('maxSessionTimeoutOption');
    throw new ConfigError({
      origin: setting?.origin,
      key: setting?.key,
      problem: `the shortest session timeout, ${minSessionTimeoutMs} ms, is above the longest, ${maxSessionTimeoutMs} ms`,
      remedy: 'set minSessionTimeout and maxSessionTimeout so that the first is not greater',
    });
  }
  return { minSessionTimeoutMs, maxSessionTimeoutMs };
}

/** The port for clients: the own server line and clientPort must agree; without any file it is 2181 on loopback. */
function listenAddress(
  request: ResolveRequest,
  gathered: Gathered,
  values: OptionValues,
  own: ServerSpec | undefined,
): HostPort | undefined {
  const setting = gathered.settings.get('clientPort');
  const host = anyAsUndefined(values.clientPortAddress);
  if (own?.client !== undefined) {
    const portDiffers = values.clientPort !== undefined && values.clientPort !== own.client.port;
    const hostDiffers = host !== undefined && own.client.host !== undefined && host !== own.client.host;
    if (portDiffers || hostDiffers) {
      throw new ConfigError({
        origin: setting?.origin,
        key: setting?.key ?? 'clientPortAddress',
        problem: `differs from the client address ${own.client.host ?? '*'}:${own.client.port} in the line server.${own.id}`,
        remedy: 'make both the same, or remove it here',
      });
    }
    return { host: own.client.host ?? host, port: own.client.port };
  }
  if (request.file !== undefined) {
    if (values.clientPort !== undefined) return { host, port: values.clientPort };
    if (gathered.settings.has('clientPortAddress')) {
      throw new ConfigError({
        origin: gathered.settings.get('clientPortAddress')?.origin,
        key: 'clientPortAddress',
        problem: 'is set, but clientPort is not',
        remedy: 'set clientPort too',
      });
    }
    return undefined;
  }
  const loopback = gathered.settings.has('clientPortAddress') ? host : '127.0.0.1';
  return { host: loopback, port: values.clientPort ?? 2181 };
}

/** The port for clients over TLS, by the same rules; without one, none. */
function secureListenAddress(
  { settings }: Gathered,
  values: OptionValues,
  own: ServerSpec | undefined,
  plain: HostPort | undefined,
): HostPort | undefined {
  const { secureClientPort } = values;
  const host = anyAsUndefined(values.secureClientPortAddress);
  const setting = settings.get('secureClientPort') ?? settings.get('secureClientPortAddress');
  const wrong = (key: string, problem: string, remedy: string) =>
    new ConfigError({ origin: setting?.origin, key: setting?.key ?? key, problem, remedy });
  const ownPort = own?.secureClient?.port;
  if (ownPort !== undefined && secureClientPort !== undefined && ownPort !== secureClientPort) {
    const problem = `differs from port ${ownPort} in the line server.${own?.id}`;
    throw wrong('secureClientPort', problem, 'make both the same, or remove it here');
  }
  const port = ownPort ?? secureClientPort;
  if (port === undefined) {
    if (host === undefined) return undefined;
    throw wrong('secureClientPortAddress', 'is set, but secureClientPort is not', 'set secureClientPort too');
  }
  if (port !== 0 && port === plain?.port) {
    const remedy = 'choose another; client.portUnification=true lets clientPort take TLS as well';
    throw wrong('secureClientPort', `is ${port}, as clientPort is`, remedy);
  }
  return { host: own?.secureClient?.host ?? host, port };
}

function anyAsUndefined(host: string | undefined): string | undefined {
  return host === '0.0.0.0' || host === '::' || host === '*' ? undefined : host;
}

/** How patient the servers of an ensemble are with each other has to be said in their file, as in ZooKeeper. */
function checkLimits({ settings }: Gathered): void {
  for (const key of ['initLimit', 'syncLimit'] as const) {
    if (settings.has(key)) continue;
    throw new ConfigError({
      key,
      problem: 'is not set, and this server is part of an ensemble',
      remedy: `set it in ticks, the same on every server, such as ${key}=${OPTIONS[key].defaultValue}`,
    });
  }
}

function checkEnsemble({ servers }: Ensemble, replicated: boolean, warn: Warn): void {
  const voters = servers.filter((server) => server.role === 'participant');
  if (servers.length > 0 && voters.length === 0) {
    throw new ConfigError({
      key: `server.${servers[0]!.id}`,
      problem: 'every server is an observer, so nobody can vote',
      remedy: 'make at least one a participant',
    });
  }
  if (servers.length > 0 && !replicated) {
    warn(
      `server.${servers[0]!.id}`,
      'is the only server, so it runs standalone (standaloneEnabled=false: as an ensemble)',
    );
  }
  if (voters.length === 2) warn('server', 'two voting servers tolerate no failure; three tolerate one');
  else if (voters.length > 2 && voters.length % 2 === 0) {
    warn('server', `${voters.length} voting servers tolerate no more failures than ${voters.length - 1}`);
  }
  const places = new Map<string, number>();
  for (const { id, addresses } of servers) {
    for (const { host, quorumPort, electionPort } of addresses) {
      for (const port of [quorumPort, electionPort]) {
        const other = places.get(`${host}:${port}`);
        if (other !== undefined) {
          throw new ConfigError({
            key: `server.${id}`,
            problem: `has ${host}:${port}, as server.${other} has`,
            remedy: 'give each server its own address or port',
          });
        }
        places.set(`${host}:${port}`, id);
      }
    }
  }
}

function checkRelations(values: OptionValues, settings: ReadonlyMap<OptionKey, Setting>, warn: Warn): void {
  if (values.electionMinNotificationIntervalMs > values.electionMaxNotificationIntervalMs) {
    const setting =
      settings.get('electionMinNotificationIntervalMs') ?? settings.get('electionMaxNotificationIntervalMs');
    throw new ConfigError({
      origin: setting?.origin,
      key: setting?.key,
      problem: 'the first wait for votes is longer than the longest',
      remedy: 'set fastleader.minNotificationInterval not above fastleader.maxNotificationInterval',
    });
  }
  const nameLength = values.ensembleName?.length ?? 0;
  if (nameLength > ENSEMBLE_NAME_LENGTH_MAX) {
    throw new ConfigError({
      origin: settings.get('ensembleName')?.origin,
      key: 'ensemble.name',
      problem: `has ${nameLength} characters, more than ${ENSEMBLE_NAME_LENGTH_MAX}`,
      remedy: 'choose a shorter one, the same on every server',
    });
  }
  if (!values.forceSync) {
    const setting = settings.get('forceSync');
    warn('forceSync', 'is off: acknowledged writes can be lost when a machine stops', setting);
  }
  if (values.skipACL) warn('skipACL', 'is on: every client may do everything', settings.get('skipACL'));
}
