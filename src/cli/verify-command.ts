// `zabra verify`: says in words whether a data directory holds what was stored in it, what is wrong with it and what to do.
// It reads only; the server that the directory belongs to must not be running.

import type { Argv } from 'yargs';
import { StorageError, type Verification, verifyDirectory } from '../server/index.js';
import { ExitCode } from './shell/errors.js';

const EPOCH_UNIT = 2 ** 32;
/** What every problem would begin with, below a line that says so. */
const DAMAGED = /^The database is damaged: /;

export function describeVerifyCommand(yargs: Argv): Argv {
  return yargs
    .usage('zabra verify <directory>')
    .usage('')
    .usage('Checks the data directory of a server that is not running, and changes nothing in it.')
    .usage('Exit code 0: everything is as it was stored; 1: it is damaged; 2: it could not be checked.')
    .positional('directory', { type: 'string', demandOption: true, describe: 'As dataDir in the configuration' })
    .example('zabra verify ./data', 'the data of `zabra server`');
}

/** Prints what it finds; sets the process's exit code. */
export async function runVerify(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const directory = String(argv.directory);
  try {
    const verification = await verifyDirectory(directory);
    process.stdout.write(`${reportOf(directory, verification).join('\n')}\n`);
    process.exitCode = verification.problems.length === 0 ? ExitCode.ok : ExitCode.failed;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    console.error(`zabra: ${error.message} ${error.code === 'LOCKED' ? 'Stop it first.' : error.remedy}`);
    process.exitCode = ExitCode.usage;
  }
}

/** The report, line by line. */
export function reportOf(directory: string, verification: Verification): string[] {
  const { problems, aside } = verification;
  const lines = [problems.length === 0 ? `${directory}: everything is as it was stored` : `${directory} is damaged:`];
  for (const { message } of problems) lines.push(`  ${message.replace(DAMAGED, '')}`);
  lines.push(...factsOf(verification));
  if (aside.length > 0)
    lines.push(`  set aside here before: ${aside.join(', ')} (the reason is in the .txt beside it)`);
  for (const remedy of new Set(problems.map((problem) => problem.remedy))) lines.push('', remedy);
  return lines;
}

function factsOf({ epochs, checkpoint, log, content }: Verification): string[] {
  const lines: string[] = [];
  if (checkpoint !== undefined) {
    const { zxid, pages } = checkpoint;
    lines.push(`  checkpoint: ${zxid === null ? 'none yet' : `at zxid ${hex(zxid)}, ${count(pages, 'page')}`}`);
  }
  if (log !== undefined) {
    const end = log.lastZxid === 0 ? 'nothing was written yet' : `ends at zxid ${hex(log.lastZxid)}`;
    const epoch = Math.floor(log.lastZxid / EPOCH_UNIT);
    lines.push(`  log: ${count(log.batches, 'batch', 'batches')} of ${log.bytes} bytes, ${end} (epoch ${epoch})`);
  }
  if (epochs !== undefined) {
    const vote = epochs.copyNeeded === true ? '; no vote until it has a copy from another server' : '';
    lines.push(`  epochs: accepted ${epochs.accepted}, current ${epochs.current}${vote}`);
  }
  if (content !== undefined) {
    const { nodes, sessions, ephemerals } = content;
    const parts = [count(nodes, 'node'), count(ephemerals, 'ephemeral one'), count(sessions, 'session')];
    lines.push(`  content: ${parts[0]}, among them ${parts[1]}, and ${parts[2]}`);
  }
  return lines;
}

function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
