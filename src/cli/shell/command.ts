// What a command of the shell is: its grammar as data (from which come parsing, usage, help and completion), and what it
// does with the parsed words. It returns its result as text and as a value, and prints nothing itself.

import type { Client, Watcher } from '../../client/index.js';
import { UsageError } from './errors.js';
import type { Style } from './output.js';
import type { ShellSession } from './session.js';

/** What a command works with. */
export interface Context {
  /** Throws NotConnectedError while there is no client. */
  readonly client: Client;
  readonly session: ShellSession;
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal;
  /** Prints events: for commands that leave a watch. */
  readonly watch: Watcher;
  readonly style: Style;
  /** What `printwatches` and its like change. */
  readonly settings: Settings;
  /** The lines of this session so far, this one included. */
  readonly history: readonly string[];
}

export interface Settings {
  printsWatches: boolean;
}

export interface Result {
  /** For people, in zkCli.sh's format. */
  readonly lines: readonly string[];
  /** For programs, one value a command. */
  readonly json: unknown;
  /** The shell ends. */
  readonly quit?: boolean;
  /** A line that is to be run now. */
  readonly again?: string;
}

export interface Flag<T> {
  readonly help: string;
  /** The name of its value in the usage; undefined for a flag that is only there or not. */
  readonly value: string | undefined;
  readonly parse: (text: string) => T;
}

export interface Operand<O extends boolean = boolean> {
  readonly optional: O;
  readonly help: string;
}

type FlagValues<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T | undefined : never };
type OperandValues<O> = {
  readonly [K in keyof O]: O[K] extends Operand<infer Optional>
    ? Optional extends true
      ? string | undefined
      : string
    : never;
};

interface Definition<F, O> {
  readonly name: string;
  readonly summary: string;
  readonly flags: F;
  /** In their order on the line. */
  readonly operands: O;
  readonly examples: readonly string[];
  run(context: Context, flags: FlagValues<F>, operands: OperandValues<O>): Promise<Result>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag<unknown>>>;
  readonly operands: Readonly<Record<string, Operand>>;
  readonly examples: readonly string[];
  /** As zkCli.sh writes it: `ls [-s] [-w] [-R] path`. */
  readonly usage: string;
  /** Throws UsageError for words that do not fit the grammar. */
  run(context: Context, words: readonly string[]): Promise<Result>;
}

export function flag(help: string): Flag<true> {
  return { help, value: undefined, parse: () => true };
}

/** A flag with a word. */
export function textFlag(value: string, help: string): Flag<string> {
  return { help, value, parse: (text) => text };
}

/** A flag with a whole number from `min` up. */
export function numberFlag(value: string, help: string, min: number): Flag<number> {
  const parse = (text: string): number => {
    const number = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(number) && number >= min) return number;
    throw new UsageError(`${value} is a whole number from ${min} up, not ${text}`);
  };
  return { help, value, parse };
}

export function operand(help: string): Operand<false> {
  return { optional: false, help };
}

export function optionalOperand(help: string): Operand<true> {
  return { optional: true, help };
}

export function defineCommand<
  const F extends Readonly<Record<string, Flag<unknown>>>,
  const O extends Readonly<Record<string, Operand>>,
>(definition: Definition<F, O>): Command {
  const { name, summary, flags, operands, examples } = definition;
  const usage = [
    name,
    ...Object.entries(flags).map(([letter, { value }]) =>
      value === undefined ? `[-${letter}]` : `[-${letter} ${value}]`,
    ),
    ...Object.entries(operands).map(([word, { optional }]) => (optional ? `[${word}]` : word)),
  ].join(' ');
  return {
    name,
    summary,
    flags,
    operands,
    examples,
    usage,
    run: (context, words) => {
      const parsed = parse(flags, operands, usage, words);
      return definition.run(context, parsed.flags as FlagValues<F>, parsed.operands as OperandValues<O>);
    },
  };
}

/** Flags may stand anywhere and be joined (`-sw`); `--` ends them; a negative number is an operand. */
function parse(
  flags: Readonly<Record<string, Flag<unknown>>>,
  operands: Readonly<Record<string, Operand>>,
  usage: string,
  words: readonly string[],
): { flags: Record<string, unknown>; operands: Record<string, string> } {
  const given: Record<string, unknown> = {};
  const rest: string[] = [];
  const refuse = (why: string): never => {
    throw new UsageError(why, usage);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      rest.push(...words.slice(i + 1));
      break;
    }
    if (!/^-[^\d-]/.test(word)) {
      rest.push(word);
      continue;
    }
    for (const letter of word.slice(1)) {
      const known = Object.hasOwn(flags, letter) ? flags[letter] : refuse(`there is no flag -${letter}`);
      if (known.value === undefined) given[letter] = known.parse('');
      else {
        if (!word.endsWith(letter) || i + 1 === words.length) refuse(`-${letter} needs its ${known.value} behind it`);
        try {
          given[letter] = known.parse(words[++i]);
        } catch (error) {
          refuse(`-${letter}: ${(error as Error).message}`);
        }
      }
    }
  }
  const named: Record<string, string> = {};
  for (const [name, { optional }] of Object.entries(operands)) {
    const word = rest.shift();
    if (word !== undefined) named[name] = word;
    else if (!optional) refuse(`the ${name} is missing`);
  }
  if (rest.length > 0) refuse(`there is one word too many: ${rest[0]} (a text with blanks needs quotes)`);
  return { flags: given, operands: named };
}
