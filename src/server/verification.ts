// Whether a data directory holds what was stored in it: first the database as such (storage/verify.ts), then what it means,
// by loading it as a server would: the state has the digest it was taken with, every batch can be read, every ephemeral
// node has its session. Works on a copy, and writes nothing to the directory.

import { rmSync } from 'node:fs';
import { hex } from '../../protocol/ids.js';
import { Replica } from '../core/replica.js';
import { loadConfig } from './config/index.js';
import { recover } from './incarnation.js';
import type { Logger } from './logging.js';
import { replicaOptions } from './replica-options.js';
import { copyDatabase, type Examination, examineDatabase, Storage, StorageError, setsIn } from './storage/index.js';

export interface Verification extends Examination {
  /** What it holds; undefined when it cannot be loaded. */
  readonly content: { readonly nodes: number; readonly sessions: number; readonly ephemerals: number } | undefined;
  /** Names of earlier databases in the directory that were set aside, oldest first. */
  readonly aside: readonly string[];
}

const SILENT: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/**
 * Verifies the database in a data directory that no server has open.
 * Throws StorageError: LOCKED while a server holds it, ACCESS when there is none, FULL when there is no room for a copy.
 */
export async function verifyDirectory(directory: string): Promise<Verification> {
  const copy = copyDatabase(directory);
  try {
    const examination = examineDatabase(copy);
    const aside = setsIn(directory);
    if (examination.problems.length > 0) return { ...examination, content: undefined, aside };
    const problems: StorageError[] = [];
    const content = await load(copy, problems);
    return { ...examination, problems, content, aside };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function load(directory: string, problems: StorageError[]): Promise<Verification['content']> {
  const { config } = loadConfig({ flags: { dataDir: directory }, env: {} });
  const replica = new Replica(replicaOptions(config));
  const { storage, recovered } = await Storage.open({ directory });
  try {
    await recover(replica, recovered, SILENT);
  } catch (error) {
    problems.push(error instanceof StorageError ? error : unloadable((error as Error).message));
    return undefined;
  } finally {
    await storage.close();
  }
  const { tree, sessions } = replica.world;
  for (const session of tree.sessionsWithEphemerals()) {
    if (sessions.get(session) !== undefined) continue;
    problems.push(unloadable(`session ${hex(session)} is not there, and has ephemeral nodes`));
  }
  return { nodes: tree.nodeCount, sessions: sessions.size, ephemerals: tree.ephemeralCount };
}

function unloadable(what: string): StorageError {
  return new StorageError('DAMAGED', `The database is damaged: ${what}.`);
}
