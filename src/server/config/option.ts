// The vocabulary the table of options is written in. An option is data: the names it goes by, how its text becomes a
// value, its default, and whether we honour it. The type of a configuration is inferred from these.

/** What became of a text: a value, or what is wrong with it (a phrase that follows the option's name). */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/**
 * supported: does here what it does in ZooKeeper.
 * accepted: understood, and without effect here for the reason given.
 * unsupported: asked for something we do not do; a warning says why and what is nearest.
 */
export type OptionStatus = 'supported' | 'accepted' | 'unsupported';

/** An option whose value is part of the configuration. */
export interface Option<T> {
  /** As written in zoo.cfg, without the prefix `zookeeper.`; the first is the one we speak of. */
  readonly names: readonly string[];
  /** The kind of value, for help texts: `integer`, `true|false`, … */
  readonly kind: string;
  readonly defaultValue: T;
  readonly help: string;
  readonly status: OptionStatus;
  /** Why it has no effect; undefined with the status `supported`. */
  readonly why: string | undefined;
  /** The values under which nothing is lost although it is unsupported; its default is always one. */
  readonly harmless: readonly string[];
  /** Never printed, logged or shown. */
  readonly secret: boolean;
  readonly read: (text: string) => Reading<T>;
}

/** An option that leaves no trace in the configuration. A name ending in `*` stands for all that begin with it. */
export interface InertOption {
  readonly name: string;
  readonly status: 'accepted' | 'unsupported';
  readonly why: string;
  /** The values under which nothing is lost and no warning is due, such as the default. */
  readonly harmless: readonly string[];
}

interface Common {
  readonly also?: readonly string[];
  /** Why it has no effect, and need not have any. */
  readonly accepted?: string;
  /** Why it has no effect although one would expect it. */
  readonly notBuilt?: string;
  readonly harmless?: readonly string[];
  readonly secret?: boolean;
}

function option<T>(
  name: string,
  kind: string,
  defaultValue: T,
  help: string,
  common: Common,
  read: (text: string) => Reading<T>,
): Option<T> {
  return {
    names: [name, ...(common.also ?? [])],
    kind,
    defaultValue,
    help,
    status: common.notBuilt !== undefined ? 'unsupported' : common.accepted !== undefined ? 'accepted' : 'supported',
    why: common.notBuilt ?? common.accepted,
    harmless: common.harmless ?? [],
    secret: common.secret ?? false,
    read,
  };
}

interface Range extends Common {
  readonly min?: number;
  readonly max?: number;
}

const INT_MAX = 2 ** 31 - 1;

/** A whole number, decimal or 0x-hexadecimal as Java's Integer.decode takes it. The range includes both ends. */
export function integer<D extends number | undefined>(name: string, defaultValue: D, help: string, range: Range = {}) {
  const { min = -1, max = INT_MAX } = range;
  return option<number | D>(name, 'integer', defaultValue, help, range, (text) => {
    if (!/^[-+]?(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) return { problem: `must be a whole number, not '${text}'` };
    const value = /^[-+]/.test(text) ? Number(`${text[0]}1`) * Number(text.slice(1)) : Number(text);
    if (value < min || value > max) return { problem: `must be from ${min} to ${max}, not ${text}` };
    return { value };
  });
}

/** A TCP port, 1 to 65535; 0 lets the system choose one. */
export function port<D extends number | undefined>(name: string, defaultValue: D, help: string, common: Common = {}) {
  return integer(name, defaultValue, help, { ...common, min: 0, max: 65535 });
}

/** `true` or `false` in any case. ZooKeeper takes every other word for false here; we refuse it. */
export function trueFalse(name: string, defaultValue: boolean, help: string, common: Common = {}): Option<boolean> {
  return option<boolean>(name, 'true|false', defaultValue, help, common, (text) => {
    const word = text.toLowerCase();
    return word === 'true' || word === 'false'
      ? { value: word === 'true' }
      : { problem: `must be true or false, not '${text}'` };
  });
}

/** `yes` or `no`, for the few options that ZooKeeper compares with these words and no others. */
export function yesNo(name: string, defaultValue: boolean, help: string, common: Common = {}): Option<boolean> {
  return option<boolean>(name, 'yes|no', defaultValue, help, common, (text) => {
    const word = text.toLowerCase();
    return word === 'yes' || word === 'no'
      ? { value: word === 'yes' }
      : { problem: `must be yes or no, not '${text}'` };
  });
}

/** Any text but an empty one. */
export function text<D extends string | undefined>(name: string, defaultValue: D, help: string, common: Common = {}) {
  return option<string | D>(name, 'text', defaultValue, help, common, (value) =>
    value === '' ? { problem: 'must not be empty' } : { value },
  );
}

/** One of a few words, in any case. */
export function oneOf<const W extends string>(
  name: string,
  words: readonly W[],
  defaultValue: W,
  help: string,
  common: Common = {},
) {
  return option<W>(name, words.join('|'), defaultValue, help, common, (value) => {
    const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    return word === undefined ? { problem: `must be one of ${words.join(', ')}, not '${value}'` } : { value: word };
  });
}

/** Words between commas. */
export function list(name: string, defaultValue: readonly string[], help: string, common: Common = {}) {
  return option<readonly string[]>(name, 'list', defaultValue, help, common, (value) => ({
    value: value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  }));
}

/** Understood, and without effect for the reason given. */
export function accepted(name: string, why: string): InertOption {
  return { name, status: 'accepted', why, harmless: [] };
}

/** Not done here. `harmless` are values that ask for nothing (the default, usually). */
export function unsupported(name: string, why: string, harmless: readonly string[] = []): InertOption {
  return { name, status: 'unsupported', why, harmless };
}
