// Puts a database in the place of another, so that a crash at any point leaves one of the two in place, or a note by
// which the next start finishes the work. The data directory itself stays: it may be a mount point, and has other files.
//
//   zabra.replacing {phase: aside}    the old files go into zabra.replaced-<time>/
//   zabra.replacing {phase: place}    the new files come from zabra.restoring/
//   no note                           done
//
// Each phase moves what is still to be moved, so it may be begun any number of times.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Everything that belongs to a database, with SQLite's own files. */
const DATABASE_FILES = ['zabra.db', 'zabra.db-wal', 'zabra.db-shm', 'zabra.tail', 'zabra.lock'] as const;
const NOTE_FILE = 'zabra.replacing';
const ASIDE_PREFIX = 'zabra.replaced-';

interface Note {
  readonly phase: 'aside' | 'place';
  /** Name of the folder for the old database. */
  readonly aside: string;
}

/** Where a database that is to replace the one in `dataDir` is made. */
export function stagingDirectory(dataDir: string): string {
  return join(dataDir, 'zabra.restoring');
}

/**
 * Neither database is open. The one in `stagingDirectory` takes the place of the one in `dataDir`; returns the folder
 * where that is now, named by the time.
 */
export function replaceDatabase(dataDir: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  let aside = `${ASIDE_PREFIX}${time}`;
  for (let number = 2; existsSync(join(dataDir, aside)); number++) aside = `${ASIDE_PREFIX}${time}-${number}`;
  writeNote(dataDir, { phase: 'aside', aside });
  return finishReplacement(dataDir) as string;
}

/**
 * Finishes a replacement that a crash has interrupted; returns the folder of the old database, or null when there is
 * nothing to finish. Call before a database is opened.
 */
export function finishReplacement(dataDir: string): string | null {
  const note = readNote(dataDir);
  if (note === null) return null;
  const aside = join(dataDir, note.aside);
  const staging = stagingDirectory(dataDir);
  if (note.phase === 'aside') {
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    move(dataDir, aside);
    writeNote(dataDir, { ...note, phase: 'place' });
  }
  move(staging, dataDir);
  rmSync(join(dataDir, NOTE_FILE), { force: true });
  syncDirectory(dataDir);
  rmSync(staging, { recursive: true, force: true });
  return aside;
}

function move(from: string, to: string): void {
  for (const file of DATABASE_FILES) {
    if (existsSync(join(from, file))) renameSync(join(from, file), join(to, file));
  }
  if (existsSync(from)) syncDirectory(from);
  syncDirectory(to);
}

function readNote(dataDir: string): Note | null {
  const file = join(dataDir, NOTE_FILE);
  if (!existsSync(file)) return null;
  return JSON.parse(readFileSync(file, 'utf8')) as Note;
}

/** Written under another name first: a note is whole, or is not there. */
function writeNote(dataDir: string, note: Note): void {
  const file = join(dataDir, NOTE_FILE);
  const fd = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(note)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
  syncDirectory(dataDir);
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
