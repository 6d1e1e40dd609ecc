// What the word at the end of a line may become: a command, one of its flags or their values, or a path that the server
// knows.

import type { Client } from '../../client/index.js';
import { type Command, flagNames } from './command.js';
import { COMMANDS } from './commands/index.js';
import { sorted } from './format.js';
import { commandNamed } from './lookup.js';
import { join } from './subtree.js';
import { quoted, splitWords } from './words.js';

const ANSWER_TIMEOUT_MS = 1000;
/** More would push everything else off the screen. */
const SHOWN_MAX = 100;

export interface Completion {
  /** Full words that may replace `word`. */
  readonly candidates: readonly string[];
  /** The part of the line that they replace. */
  readonly word: string;
  /** How many there are beside, when there are too many to show: `candidates` has only what they have in common. */
  readonly hidden: number;
}

/** Never fails: without a server there are no paths. */
export async function complete(line: string, client: Client | undefined): Promise<Completion> {
  const { words, openQuote } = splitWords(line);
  const isNew = openQuote === undefined && /(^|\s)$/.test(line);
  const last = isNew ? undefined : words.at(-1);
  const word = last === undefined ? '' : line.slice(last.start);
  const text = last?.text ?? '';
  const before = (last === undefined ? words : words.slice(0, -1)).map((each) => each.text);
  if (before.length === 0) return matching(names(' '), word);
  const command = knownCommand(before[0]);
  if (command?.name === 'help') return matching(names(''), word);
  if (command !== undefined) {
    if (word.startsWith('-')) return matching(ending(flagsOf(command)), word);
    const choices = choicesAt(command, before.slice(1));
    if (choices !== undefined) return matching(ending(choices), word);
  }
  if (!text.startsWith('/') || client === undefined) return { candidates: [], word, hidden: 0 };
  return limited((await pathsLike(text, client)).map(openEnded), word);
}

function names(end: string): string[] {
  return [...COMMANDS.keys()].map((name) => `${name}${end}`);
}

function ending(words: readonly string[]): string[] {
  return words.map((word) => `${word} `);
}

function knownCommand(name: string): Command | undefined {
  try {
    return commandNamed(COMMANDS, name);
  } catch {
    return undefined;
  }
}

function flagsOf({ flags }: Command): string[] {
  return Object.keys(flags).map((name) => `-${name}`);
}

/** The words that may stand behind these, where there is a fixed choice. */
function choicesAt({ flags, operands }: Command, words: readonly string[]): readonly string[] | undefined {
  let operandsBefore = 0;
  let flagBefore: string | undefined;
  for (const word of words) {
    if (flagBefore !== undefined) {
      flagBefore = undefined;
      continue;
    }
    const given = flagNames(flags, word);
    if (given === undefined) operandsBefore++;
    else flagBefore = given.find((name) => Object.hasOwn(flags, name) && flags[name].value !== undefined);
  }
  return flagBefore === undefined ? Object.values(operands)[operandsBefore]?.choices : flags[flagBefore].choices;
}

function matching(all: readonly string[], word: string): Completion {
  return limited(
    all.filter((candidate) => candidate.startsWith(word)),
    word,
  );
}

function limited(candidates: readonly string[], word: string): Completion {
  if (candidates.length <= SHOWN_MAX) return { candidates, word, hidden: 0 };
  const common = commonStart(candidates);
  return { candidates: common === word ? [] : [common], word, hidden: candidates.length };
}

/** In quotes where it needs them; without the last one, since the path may go on. */
function openEnded(path: string): string {
  const word = quoted(path);
  return word === path ? path : word.slice(0, -1);
}

function commonStart(words: readonly string[]): string {
  let [common = ''] = words;
  for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
  return common;
}

/** The paths that begin so. Their last names are what the server is asked for. */
async function pathsLike(text: string, client: Client): Promise<string[]> {
  const parent = text.slice(0, text.lastIndexOf('/')) || '/';
  try {
    const children = await client.children(parent, { timeoutMs: ANSWER_TIMEOUT_MS });
    return sorted(children)
      .map((name) => join(parent, name))
      .filter((path) => path.startsWith(text));
  } catch {
    return [];
  }
}
