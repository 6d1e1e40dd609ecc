// The one table of all options. What takes part in the configuration is keyed by its name there; the rest is
// understood, without effect or not done here, and says why. Everything about options is read from here: parsing, help,
// flags, warnings, the nearest known name.

import type { InertOption, Option, OptionStatus } from './option.js';
import { ADMIN_INERT, ADMIN_OPTIONS } from './options-admin.js';
import { CONNECTION_INERT, CONNECTION_OPTIONS } from './options-connections.js';
import { CORE_INERT, CORE_OPTIONS } from './options-core.js';
import { QUORUM_INERT, QUORUM_OPTIONS } from './options-quorum.js';
import { SECURITY_INERT, SECURITY_OPTIONS } from './options-security.js';
import { STORAGE_INERT, STORAGE_OPTIONS } from './options-storage.js';

export const OPTIONS = {
  ...CORE_OPTIONS,
  ...STORAGE_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...QUORUM_OPTIONS,
  ...SECURITY_OPTIONS,
  ...ADMIN_OPTIONS,
} as const;

export const INERT_OPTIONS: readonly InertOption[] = [
  ...CORE_INERT,
  ...STORAGE_INERT,
  ...CONNECTION_INERT,
  ...QUORUM_INERT,
  ...SECURITY_INERT,
  ...ADMIN_INERT,
];

/** The name of an option in the table. */
export type OptionKey = keyof typeof OPTIONS;

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** One value for each option of the table: read, or its default. */
export type OptionValues = { readonly [K in OptionKey]: ValueOf<(typeof OPTIONS)[K]> };

/** What a name turned out to be. */
export type Known =
  | { readonly kind: 'option'; readonly key: OptionKey; readonly option: Option<unknown> }
  | { readonly kind: 'inert'; readonly option: InertOption }
  /** `server.3`, `group.1`, `weight.2`, `version`: the ensemble, see ensemble.ts. */
  | { readonly kind: 'ensemble'; readonly name: string };

const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];
const ENSEMBLE_NAME = /^(?:(?:server|group|weight)\..*|version)$/;

const byName = new Map<string, Known>();
for (const option of INERT_OPTIONS) byName.set(option.name, { kind: 'inert', option });
for (const key of OPTION_KEYS) {
  for (const name of OPTIONS[key].names) byName.set(name, { kind: 'option', key, option: OPTIONS[key] });
}
const byFlag = new Map([...byName].map(([name, known]) => [flagName(name), known] as const));
const prefixes = INERT_OPTIONS.filter((option) => option.name.endsWith('*'));

/**
 * Finds an option by any of its names: as in zoo.cfg, with the prefix `zookeeper.`, or as a flag. Undefined when no
 * option has that name.
 */
export function findOption(name: string): Known | undefined {
  const bare = name.replace(/^zookeeper\./, '');
  const exact = byName.get(bare);
  if (exact !== undefined) return exact;
  if (ENSEMBLE_NAME.test(bare) && bare !== 'server.realm') return { kind: 'ensemble', name: bare };
  const prefix = prefixes.find((option) => bare.startsWith(option.name.slice(0, -1)));
  return prefix === undefined ? byFlag.get(bare) : { kind: 'inert', option: prefix };
}

/** The names a misspelt one is compared with. */
export function knownNames(): string[] {
  return [...byName.keys()].filter((name) => !name.endsWith('*'));
}

/** `snapCount` → `snap-count`, `autopurge.purgeInterval` → `autopurge-purge-interval`. */
export function flagName(name: string): string {
  return name
    .replace('IPs', 'Ips')
    .replace(/[._]/g, '-')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

/** What a command line offers for one option. */
export interface FlagDescription {
  readonly flag: string;
  /** The name in zoo.cfg. */
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly status: OptionStatus;
  /** Undefined when it follows from other options, or there is none. */
  readonly defaultText: string | undefined;
}

/** One flag for every option that takes part in the configuration, in the order of the table. */
export function flagDescriptions(): FlagDescription[] {
  return OPTION_KEYS.map((key) => {
    const option: Option<unknown> = OPTIONS[key];
    const name = option.names[0]!;
    const { kind, help, status, defaultValue } = option;
    const defaultText = defaultValue === undefined ? undefined : String(defaultValue);
    return { flag: flagName(name), name, kind, help, status, defaultText };
  });
}
