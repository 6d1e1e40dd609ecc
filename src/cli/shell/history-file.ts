// What was typed, kept from run to run in a file that nobody else may read. Each line is added as it is run, so that a
// shell that is killed loses none and two at a time keep both; lines that may hold a secret are left out.

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from './command.js';

export const HISTORY_LINES_MAX = 1000;
/** Whoever types a password here and there does not want to find it in a file. */
const SECRET = /^\s*addauth\b|passw|secret|token/i;
const PRIVATE = { mode: 0o600 };

/** In the directory for what programs remember: $XDG_STATE_HOME, ~/.local/state by default. */
export function historyFile(env: Environment): string {
  const state = env.XDG_STATE_HOME;
  return join(state === undefined || state === '' ? join(homedir(), '.local', 'state') : state, 'zabra', 'history');
}

/** The last lines, oldest first; none when they cannot be read. */
export function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-HISTORY_LINES_MAX);
  } catch {
    return [];
  }
}

/** Keeps the file from growing for ever. */
export function trimHistory(file: string, lines: readonly string[]): void {
  unlessRefused(() => writeFileSync(file, lines.map((line) => `${line}\n`).join(''), PRIVATE));
}

/** A text of several lines is not kept: it could not be edited in one. */
export function addToHistory(file: string, line: string): void {
  const text = line.trim();
  if (text === '' || text.includes('\n') || SECRET.test(text)) return;
  unlessRefused(() => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, `${text}\n`, PRIVATE);
  });
}

/** A home that cannot be written to is no reason to bother somebody who works. */
function unlessRefused(write: () => void): void {
  try {
    write();
  } catch {
    // There is no history then.
  }
}
