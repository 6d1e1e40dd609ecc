// What a command of the shell is: its grammar as data (from which come parsing, usage, help and completion), and what it
// does with the parsed words. It returns its result as text and as a value, and prints nothing itself.

import type { Client, Watcher } from '../../client/index.js';
import { type ExitCode, UsageError } from './errors.js';
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
  /** Says something that is no part of the result, for people only. */
  readonly remark: (text: string) => void;
  /** Hands the terminal over to another program until `use` is done with it. */
  readonly lendTerminal: <T>(use: () => Promise<T>) => Promise<T>;
  readonly env: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  printsWatches: boolean;
}

export interface Result {
  /**
   * For people, in zkCli.sh's format. An async iterable is for what is too long to be held or has no end yet: it is read
   * only as fast as somebody takes the lines.
   */
  readonly lines: Iterable<string> | AsyncIterable<string>;
  /** With --quiet, in place of the lines: for a command that only confirms, or says more than was asked. */
  readonly quietLines?: readonly string[];
  /** Content of a node, exactly: in place of the lines where nobody looks at it. */
  readonly bytes?: Uint8Array;
  /** For programs, one value a command. A function is called for it; an async iterable gives one value a line. */
  readonly json: unknown;
  /** Where it is not `ok` although the command did what it should, as with differences that were found. */
  readonly exitCode?: ExitCode;
  /** The shell ends. */
  readonly quit?: boolean;
  /** A line that is to be run now. */
  readonly again?: string;
}

export interface Flag<T> {
  readonly help: string;
  /** All values there are, for completion. */
  readonly choices?: readonly string[];
  /** The name of its value in the usage; undefined for a flag that is only there or not. */
  readonly value: string | undefined;
  readonly parse: (text: string) => T;
}

export interface Operand<O extends boolean = boolean> {
  readonly optional: O;
  readonly help: string;
  /** All values there are; others are refused. */
  readonly choices?: readonly string[];
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
  /** In place of the usage that follows from flags and operands. */
  readonly usage?: string;
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

/** A flag with one of these words. */
export function choiceFlag<const T extends string>(value: string, choices: readonly T[], help: string): Flag<T> {
  return { help, value, choices, parse: (text) => choiceOf(value, choices, text) };
}

function choiceOf<T extends string>(name: string, choices: readonly T[], text: string): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`the ${name} is one of ${choices.join(', ')}, not ${text}`);
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

export function operand(help: string, choices?: readonly string[]): Operand<false> {
  return { optional: false, help, ...(choices === undefined ? {} : { choices }) };
}

export function optionalOperand(help: string, choices?: readonly string[]): Operand<true> {
  return { optional: true, help, ...(choices === undefined ? {} : { choices }) };
}

export function defineCommand<
  const F extends Readonly<Record<string, Flag<unknown>>>,
  const O extends Readonly<Record<string, Operand>>,
>(definition: Definition<F, O>): Command {
  const { name, summary, flags, operands, examples, usage = usageOf(definition) } = definition;
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

function usageOf({ name, flags, operands }: Pick<Command, 'name' | 'flags' | 'operands'>): string {
  const parts = Object.entries(flags).map(
    ([flagName, { value }]) => `[-${flagName}${value === undefined ? '' : ` ${value}`}]`,
  );
  const words = Object.entries(operands).map(([word, { optional, choices }]) => {
    const text = choices?.join('|') ?? word;
    return optional ? `[${text}]` : text;
  });
  return [name, ...parts, ...words].join(' ');
}

/** The flags that a word names: one of several letters, or letters joined (`-sw`). Undefined for an operand. */
export function flagNames(flags: Readonly<Record<string, unknown>>, word: string): readonly string[] | undefined {
  if (!/^-[^\d-]/.test(word)) return undefined;
  const name = word.slice(1);
  return Object.hasOwn(flags, name) ? [name] : [...name];
}

/** Flags may stand anywhere; `--` ends them; a negative number is an operand. */
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
  const accept = <T>(what: string, take: () => T): T => {
    try {
      return take();
    } catch (error) {
      return refuse(`${what}${(error as Error).message}`);
    }
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      rest.push(...words.slice(i + 1));
      break;
    }
    const names = flagNames(flags, word);
    if (names === undefined) {
      rest.push(word);
      continue;
    }
    for (const name of names) {
      const known = Object.hasOwn(flags, name) ? flags[name] : refuse(`there is no flag -${name}`);
      if (known.value === undefined) given[name] = known.parse('');
      else {
        if (!word.endsWith(name) || i + 1 === words.length) refuse(`-${name} needs its ${known.value} behind it`);
        const text = words[++i];
        given[name] = accept(`-${name}: `, () => known.parse(text));
      }
    }
  }
  const named: Record<string, string> = {};
  for (const [name, { optional, choices }] of Object.entries(operands)) {
    const word = rest.shift();
    if (word === undefined) {
      if (!optional) refuse(`the ${name} is missing`);
    } else named[name] = choices === undefined ? word : accept('', () => choiceOf(name, choices, word));
  }
  if (rest.length > 0) refuse(`there is one word too many: ${rest[0]} (a text with blanks needs quotes)`);
  return { flags: given, operands: named };
}
