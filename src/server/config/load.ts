// The door to configuration: reads the files, hands their text to the pure part.

import { readFileSync } from 'node:fs';
import { ConfigError, type ConfigWarning } from './errors.js';
import { resolveConfig } from './resolve.js';
import type { ServerConfig } from './server-config.js';
import { type Flags, type Setting, settingsOfFile, settingsOfFlags, settingsOfJvmFlags } from './settings.js';

/** Where a configuration comes from. */
export interface LoadRequest {
  /** A zoo.cfg. Without one: 127.0.0.1:2181 and ./data. */
  readonly file?: string | undefined;
  /** By flag name, option name or nested by dots; `D` has `zookeeper.x=y` words, `serverId` stands for the file myid. */
  readonly flags?: Flags | undefined;
  /** The value of SERVER_JVMFLAGS; by default that of `env`. */
  readonly jvmFlags?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads a configuration. Precedence: flag, -D, SERVER_JVMFLAGS, file, default. Throws ConfigError when a server cannot
 * be started with it; everything else worth telling is in `warnings`.
 */
export function loadConfig(request: LoadRequest): { config: ServerConfig; warnings: ConfigWarning[] } {
  const { file } = request;
  const { serverId, 'server-id': serverIdFlag, ...flags } = request.flags ?? {};
  const { direct, defined } = settingsOfFlags(flags);
  const jvm = settingsOfJvmFlags(request.jvmFlags ?? request.env.SERVER_JVMFLAGS ?? '');
  const sources: Setting[][] = [jvm.settings, defined, direct];
  if (file !== undefined) sources.unshift(settingsOfFile(readMainFile(file), file));
  const idText = serverId ?? serverIdFlag;
  const { config, warnings } = resolveConfig({
    file,
    sources,
    serverId: idText === undefined ? undefined : readServerIdFlag(String(idText)),
    readText: readTextIfThere,
  });
  return { config, warnings: [...jvm.warnings, ...warnings] };
}

function readServerIdFlag(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ConfigError({
    origin: { source: 'flag' },
    key: 'server-id',
    problem: `'${text}' is not a number`,
    remedy: 'give the number of this server, as in server.N',
  });
}

function readMainFile(file: string): string {
  const text = readTextIfThere(file);
  if (text !== undefined) return text;
  throw new ConfigError({ problem: `there is no file ${file}`, remedy: 'check the path given with --config' });
}

function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError({
      problem: `${path} cannot be read: ${String(error)}`,
      remedy: 'check what it is and its permissions',
    });
  }
}
