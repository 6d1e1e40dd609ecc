/**
 * Runs the Python cases of test/interop/kazoo with Debian's python3-kazoo. Each case is a process of its own, so that
 * one that hangs or dies disturbs no other.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const PYTHON = '/usr/bin/python3';
const RUNNER = resolve('test/interop/kazoo/run.py');

/** Why kazoo cannot be used on this machine; undefined when it can. */
export function whyNoKazoo(): string | undefined {
  if (!existsSync(PYTHON)) return `no kazoo: ${PYTHON} is missing`;
  try {
    execFileSync(PYTHON, ['-B', '-c', 'import kazoo.client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no kazoo: Debian package python3-kazoo is not installed';
  }
}

/** Names of all cases as `topic.case`, in the order of the files. */
export function kazooCases(): readonly string[] {
  return execFileSync(PYTHON, ['-B', RUNNER, '--list'], { encoding: 'utf8' }).trim().split('\n');
}

/** Runs one case against the server; rejects with what Python printed when it fails or takes too long. */
export function runKazooCase(address: string, name: string, timeoutMs: number): Promise<void> {
  return new Promise((settle, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
    execFile(PYTHON, ['-B', RUNNER, address, name], options, (error, stdout, stderr) => {
      if (error === null) settle();
      else reject(new Error(`${name}${error.killed ? ` still ran after ${timeoutMs} ms` : ''}\n${stdout}${stderr}`));
    });
  });
}
