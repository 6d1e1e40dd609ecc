// From a word to a command, and from a misspelt word to the one that was probably meant.

import type { Command } from './command.js';
import { UsageError } from './errors.js';

/** Other words for a command: `h` as in zkCli.sh, the rest out of habit. */
const ALIASES: Readonly<Record<string, string>> = { h: 'help', '?': 'help', exit: 'quit', rmr: 'deleteall' };

/** Throws UsageError with the nearest name. Upper and lower case are the same. */
export function commandNamed(commands: ReadonlyMap<string, Command>, word: string): Command {
  const name = Object.hasOwn(ALIASES, word) ? ALIASES[word] : word;
  const exact = commands.get(name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  const found = [...commands.values()].find((command) => command.name.toLowerCase() === lower);
  if (found !== undefined) return found;
  const near = nearest(lower, [...commands.keys()]);
  throw new UsageError(`Command not found: ${word}`, undefined, near ?? 'help');
}

/** The candidate with the fewest edits, if they are few for the length of the word. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: { name: string; edits: number } | undefined;
  for (const name of candidates) {
    const edits = distance(word, name.toLowerCase());
    if (best === undefined || edits < best.edits) best = { name, edits };
  }
  return best !== undefined && best.edits <= Math.max(1, word.length / 3) ? best.name : undefined;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
