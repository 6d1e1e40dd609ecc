// A configuration as text: what the word `conf` prints, and a whole one that is safe to log.

import { formatEnsemble } from './ensemble.js';
import type { Option } from './option.js';
import { OPTIONS, type OptionKey } from './options.js';
import type { ServerConfig } from './server-config.js';

/** What `conf` shows beside the configuration. */
export interface ConfigurationFacts {
  readonly dataDirBytes: number;
  readonly dataLogDirBytes: number;
  /** The ensemble as it is now, when a reconfig has changed it: the lines of the dynamic file, with the version. */
  readonly membership?: readonly string[];
}

/** The lines of `conf`, with ZooKeeper's names in its order; those from initLimit on only in an ensemble. */
export function configurationLines(config: ServerConfig, facts: ConfigurationFacts): string[] {
  const lines = [
    `clientPort=${config.clientListen?.port ?? -1}`,
    `secureClientPort=${config.secureClientListen?.port ?? -1}`,
    `dataDir=${config.dataDir}`,
    `dataDirSize=${facts.dataDirBytes}`,
    `dataLogDir=${config.dataLogDir}`,
    `dataLogSize=${facts.dataLogDirBytes}`,
    `tickTime=${config.tickTimeMs}`,
    `maxClientCnxns=${config.maxClientCnxns}`,
    `minSessionTimeout=${config.minSessionTimeoutMs}`,
    `maxSessionTimeout=${config.maxSessionTimeoutMs}`,
    `clientPortListenBacklog=${config.clientPortListenBacklog}`,
    `serverId=${config.serverId}`,
  ];
  if (!config.replicated) return lines;
  const own = config.servers.find((server) => server.id === config.serverId);
  return [
    ...lines,
    `initLimit=${config.initLimit}`,
    `syncLimit=${config.syncLimit}`,
    'electionAlg=3',
    `electionPort=${own?.addresses[0]?.electionPort ?? -1}`,
    `quorumPort=${own?.addresses[0]?.quorumPort ?? -1}`,
    `peerType=${config.peerType === 'participant' ? 0 : 1}`,
    'membership: ',
    ...(facts.membership ?? formatEnsemble({ servers: config.servers, version: config.serversVersion })),
  ];
}

/** Every field as text by its name, secrets replaced by `<hidden>`; fields without value are left out. */
export function redactedConfig(config: ServerConfig): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue;
    shown[name] = isSecret(name) ? '<hidden>' : asText(value);
  }
  return shown;
}

function isSecret(name: string): boolean {
  const option: Option<unknown> | undefined = name in OPTIONS ? OPTIONS[name as OptionKey] : undefined;
  return option?.secret ?? false;
}

function asText(value: unknown): string {
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}
