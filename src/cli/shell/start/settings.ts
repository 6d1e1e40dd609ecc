// Where to connect and as whom, from three places: the flags, then the environment (ZABRA_SERVER, ZABRA_AUTH), then
// ~/.config/zabra, a file of `name = value` lines under the flags' names. A password belongs in the last two: everybody on
// the machine can see the flags of a process.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClientTlsOptions } from '../../../client/index.js';
import type { Environment } from '../command.js';
import { UsageError } from '../errors.js';
import { nearest } from '../lookup.js';
import type { ShellSessionOptions } from '../session.js';
import { readClientConfiguration } from './client-configuration.js';
import { readMaterial } from './material.js';

export const SERVER_DEFAULT = '127.0.0.1:2181';
export const TIMEOUT_MS_DEFAULT = 10_000;

/** The flags that may stand in the file as well; `auth` may stand several times. */
const IN_FILE = ['server', 'timeout', 'readonly', 'tls', 'ca', 'cert', 'key', 'auth'] as const;
type Name = (typeof IN_FILE)[number];

/** Flags as yargs has them, undefined for those that were not given. */
export type GivenFlags = Readonly<Record<string, unknown>>;

/** $XDG_CONFIG_HOME/zabra, by default ~/.config/zabra. */
export function settingsFile(env: Environment): string {
  const config = env.XDG_CONFIG_HOME;
  return join(config === undefined || config === '' ? join(homedir(), '.config') : config, 'zabra');
}

/** Throws UsageError for what cannot be, or a file that cannot be read. */
export function startSettings(flags: GivenFlags, env: Environment): Omit<ShellSessionOptions, 'onState'> {
  const file = readSettings(settingsFile(env));
  const fromFile = (name: Name): string | undefined => file.get(name)?.at(-1);
  const text = (name: Name): string | undefined => {
    const value = flags[name];
    return value === undefined ? fromFile(name) : String(value);
  };
  const isOn = (name: Name): boolean => flags[name] === true || fromFile(name) === 'true';
  const properties = flags.clientConfiguration;
  const configured = typeof properties === 'string' ? readClientConfiguration(properties) : undefined;
  const timeoutMs = Number(text('timeout') ?? TIMEOUT_MS_DEFAULT);
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) {
    throw new UsageError(`--timeout is a whole number of milliseconds, not ${text('timeout')}`);
  }
  return {
    server: stringOrNone(flags.server) ?? nonEmpty(env.ZABRA_SERVER) ?? fromFile('server') ?? SERVER_DEFAULT,
    timeoutMs,
    readOnly: isOn('readonly'),
    tls: configured ?? tlsOf({ ca: text('ca'), cert: text('cert'), key: text('key') }, isOn('tls')),
    auth: (listOrNone(flags.auth) ?? listOrNone(nonEmpty(env.ZABRA_AUTH)) ?? file.get('auth') ?? []).map(parseAuth),
  };
}

/** The lines of the file by their name; none when there is no file. */
function readSettings(file: string): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [i, line] of (readOrNone(file) ?? '').split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!IN_FILE.some((known) => known === name)) {
      const near = nearest(name, IN_FILE);
      throw new UsageError(
        `${file}, line ${i + 1}: there is no setting ${name || line}`,
        undefined,
        near ?? IN_FILE.join(', '),
      );
    }
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function readOrNone(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`the settings cannot be read: ${(error as Error).message}`);
  }
}

function tlsOf(
  files: Readonly<Record<'ca' | 'cert' | 'key', string | undefined>>,
  isOn: boolean,
): ClientTlsOptions | undefined {
  const { ca, cert, key = cert } = files;
  if (!isOn && ca === undefined && cert === undefined && key === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: readMaterial('--ca', ca) }),
    ...(cert === undefined ? {} : { cert: readMaterial('--cert', cert) }),
    ...(key === undefined ? {} : { key: readMaterial('--key', key) }),
  };
}

function listOrNone(value: unknown): string[] | undefined {
  return value === undefined ? undefined : [value].flat().map(String);
}

/** `digest:user:password`: the scheme, and all behind its colon. */
function parseAuth(text: string): { scheme: string; auth: string } {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError('an identity is scheme:auth, as in digest:user:password');
  return { scheme: text.slice(0, colon), auth: text.slice(colon + 1) };
}

function stringOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
