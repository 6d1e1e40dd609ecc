// What the word at the end of a line may become: a command, one of its flags, or a path that the server knows.

import type { Client } from '../../client/index.js';
import { COMMANDS } from './commands/index.js';
import { sorted } from './format.js';
import { commandNamed } from './lookup.js';
import { join } from './subtree.js';
import { splitWords } from './words.js';

const ANSWER_TIMEOUT_MS = 1000;

export interface Completion {
  /** Full words that may replace `word`. */
  readonly candidates: readonly string[];
  /** The part of the line that they replace. */
  readonly word: string;
}

/** Never fails: without a server there are no paths. */
export async function complete(line: string, client: Client | undefined): Promise<Completion> {
  const { words, openQuote } = splitWords(line);
  const isNew = openQuote === undefined && /(^|\s)$/.test(line);
  const last = isNew ? undefined : words.at(-1);
  const word = last === undefined ? '' : line.slice(last.start);
  const position = last === undefined ? words.length : words.length - 1;
  const names = [...COMMANDS.keys()];
  if (position === 0)
    return matching(
      names.map((name) => `${name} `),
      word,
    );
  const command = COMMANDS.get(words[0].text);
  if (command?.name === 'help') return matching(names, word);
  if (word.startsWith('-')) return matching(flagsOf(words[0].text), word);
  return word.startsWith('/') && client !== undefined ? await paths(word, client) : { candidates: [], word };
}

function flagsOf(name: string): string[] {
  try {
    return Object.keys(commandNamed(COMMANDS, name).flags).map((letter) => `-${letter} `);
  } catch {
    return [];
  }
}

function matching(candidates: readonly string[], word: string): Completion {
  return { candidates: candidates.filter((candidate) => candidate.startsWith(word)), word };
}

async function paths(word: string, client: Client): Promise<Completion> {
  const slash = word.lastIndexOf('/');
  const parent = word.slice(0, slash) || '/';
  try {
    const children = await client.children(parent, { timeoutMs: ANSWER_TIMEOUT_MS });
    return matching(
      sorted(children).map((name) => join(parent, name)),
      word,
    );
  } catch {
    return { candidates: [], word };
  }
}
