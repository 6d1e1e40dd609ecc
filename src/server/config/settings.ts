// Settings come from five places; this gathers them under one shape and decides whose word counts:
// flag > -D > SERVER_JVMFLAGS > file > default. Within one place the later line wins, as in Java, with a warning.

import type { EnsembleLine } from './ensemble.js';
import type { ConfigWarning, Origin } from './errors.js';
import { parseJvmFlags, parseSystemProperty } from './jvm-flags.js';
import { nearestName } from './nearest.js';
import type { Option } from './option.js';
import { findOption, knownNames, type OptionKey } from './options.js';
import { parseProperties } from './properties.js';

/** One key with its value, as it was written. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

/** Flags as a command-line parser hands them over: nested by dots (`{server: {1: '…'}}`), `D` for `-D`. */
export interface Flags {
  readonly [name: string]: FlagValue | undefined;
}
export type FlagValue = string | number | boolean | readonly (string | number)[] | Flags;

/** The lines of a file. */
export function settingsOfFile(text: string, file: string): Setting[] {
  return parseProperties(text).map(({ line, key, value }) => ({ key, value, origin: { source: 'file', file, line } }));
}

/** The `-D` words of SERVER_JVMFLAGS, and a note about the others. */
export function settingsOfJvmFlags(text: string): { settings: Setting[]; warnings: ConfigWarning[] } {
  const { properties, skipped } = parseJvmFlags(text);
  const origin: Origin = { source: 'SERVER_JVMFLAGS' };
  const settings = properties.filter(({ key }) => isOurs(key)).map((property) => ({ ...property, origin }));
  const foreign = [...skipped, ...properties.filter(({ key }) => !isOurs(key)).map(({ key }) => `-D${key}`)];
  const note = `meant for a JVM and skipped: ${foreign.join(' ')}`;
  const warnings: ConfigWarning[] =
    foreign.length === 0 ? [] : [{ severity: 'note', key: 'SERVER_JVMFLAGS', origin: undefined, text: note }];
  return { settings, warnings };
}

/** A system property without the prefix is ours only when it names an option, such as `jute.maxbuffer`. */
function isOurs(key: string): boolean {
  return key.startsWith('zookeeper.') || findOption(key) !== undefined;
}

/** Flags in two ranks: those of their own, and the words of `-D`. */
export function settingsOfFlags(flags: Flags): { direct: Setting[]; defined: Setting[] } {
  const { D, ...own } = flags;
  const words = (Array.isArray(D) ? D : D === undefined ? [] : [D]).map((word) => String(word));
  return {
    direct: flatten(own, '').map((setting) => ({ ...setting, origin: { source: 'flag' } })),
    defined: words.map((word) => ({ ...parseSystemProperty(word), origin: { source: '-D' } })),
  };
}

function flatten(flags: Flags, prefix: string): { key: string; value: string }[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const key = prefix + name;
    if (value === undefined) return [];
    if (typeof value !== 'object') return [{ key, value: asOptionText(key, value) }];
    return isList(value) ? [{ key, value: value.join(',') }] : flatten(value, `${key}.`);
  });
}

function isList(value: FlagValue): value is readonly (string | number)[] {
  return Array.isArray(value);
}

/** A bare `--force-sync` or `--no-force-sync` arrives as a boolean; options that speak yes and no want that word. */
function asOptionText(key: string, value: string | number | boolean): string {
  if (typeof value !== 'boolean') return String(value);
  const known = findOption(key);
  const yesNo = known?.kind === 'option' && known.option.kind === 'yes|no';
  return yesNo ? (value ? 'yes' : 'no') : String(value);
}

/** What the settings say, sorted: the option's winning setting, the lines about the ensemble, and what to tell. */
export interface Gathered {
  readonly settings: ReadonlyMap<OptionKey, Setting>;
  readonly ensembleLines: readonly EnsembleLine[];
  readonly warnings: readonly ConfigWarning[];
}

/** Joins sources given from the weakest to the strongest. */
export function gather(sources: readonly (readonly Setting[])[]): Gathered {
  const settings = new Map<OptionKey, Setting>();
  const ensembleLines = new Map<string, EnsembleLine>();
  const warnings: ConfigWarning[] = [];
  for (const source of sources) {
    const inSource = new Set<OptionKey>();
    const ensembleInSource: EnsembleLine[] = [];
    for (const setting of source) {
      const known = findOption(setting.key);
      if (known?.kind === 'ensemble') {
        ensembleInSource.push({ name: known.name, value: setting.value, origin: setting.origin });
        continue;
      }
      const warning = adviceOn(setting);
      if (warning !== undefined) warnings.push(warning);
      if (known?.kind !== 'option') continue;
      if (inSource.has(known.key) && settings.get(known.key)?.value !== setting.value) {
        const text = `given more than once; the last one counts, ${shown(known.option.secret, setting.value)}`;
        warnings.push({ severity: 'warning', key: setting.key, origin: setting.origin, text });
      }
      inSource.add(known.key);
      settings.set(known.key, setting);
    }
    // A stronger source replaces a server line by its name; a duplicate within one source is for parseEnsemble to refuse.
    const names = new Map<string, number>();
    for (const line of ensembleInSource) {
      const nth = names.get(line.name) ?? 0;
      names.set(line.name, nth + 1);
      ensembleLines.set(nth === 0 ? line.name : `${line.name}#${nth}`, line);
    }
  }
  return { settings, ensembleLines: [...ensembleLines.values()], warnings };
}

function shown(secret: boolean, value: string): string {
  return secret ? 'not shown here' : `'${value}'`;
}

function isDefault(option: Option<unknown>, text: string): boolean {
  const reading = option.read(text);
  return 'value' in reading && String(reading.value) === String(option.defaultValue);
}

/** What there is to say about a setting because of its key alone; undefined when it simply takes effect. */
export function adviceOn({ key, value, origin }: Setting): ConfigWarning | undefined {
  const known = findOption(key);
  if (known === undefined) {
    const nearest = nearestName(key.replace(/^zookeeper\./, ''), knownNames());
    const text = `not an option${nearest === undefined ? '; it has no effect' : `; did you mean ${nearest}?`}`;
    return { severity: 'warning', key, origin, text };
  }
  if (known.kind === 'ensemble') return undefined;
  if (known.kind === 'option') {
    const { why, status, harmless } = known.option;
    if (why === undefined) return undefined;
    if (status === 'accepted') return { severity: 'note', key, origin, text: `no effect here: ${why}` };
    if (harmless.includes(value) || isDefault(known.option, value)) return undefined;
    return { severity: 'warning', key, origin, text: `not supported: ${why}` };
  }
  const { status, why, harmless } = known.option;
  if (status === 'accepted') return { severity: 'note', key, origin, text: `no effect here: ${why}` };
  const asksForNothing = harmless.some((word) => word.toLowerCase() === value.toLowerCase());
  return asksForNothing ? undefined : { severity: 'warning', key, origin, text: `not supported: ${why}` };
}
