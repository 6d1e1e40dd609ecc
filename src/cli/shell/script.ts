// The shell for programs: one command from the command line, or a script from standard input or a file. A command that
// fails does not stop a script; the exit code is that of the first failure. Without a connection nothing is run.

import { createInterface } from 'node:readline';
import { COMMANDS } from './commands/index.js';
import { ExitCode } from './errors.js';
import { commandNamed } from './lookup.js';
import { Output, type OutputOptions } from './output.js';
import { ShellSession, type ShellSessionOptions } from './session.js';
import { type Outcome, Shell } from './shell.js';
import { isUnfinished } from './words.js';

/** Commands that make sense without a server. */
const OFFLINE = new Set(['help', 'version', 'quit', 'history']);

export interface ScriptOptions {
  readonly output: OutputOptions;
  readonly session: ShellSessionOptions;
}

/** Runs one command, given as its words. */
export async function runCommand(words: readonly string[], options: ScriptOptions): Promise<ExitCode> {
  // A word that is no command is complained about at once, whether or not there is a server.
  return await withShell(options, needsServer(words[0]), async (shell, signal) => {
    return (await shell.run(words, signal)).exitCode;
  });
}

/** When to say that no server has answered yet. */
export const NOTICE_MS = 2000;

export function stillTrying({ server, timeoutMs }: ShellSession): string {
  return `No answer from ${server} yet; trying for ${Math.ceil(timeoutMs / 1000)} s. Ctrl-C gives up.`;
}

function needsServer(word: string): boolean {
  try {
    return !OFFLINE.has(commandNamed(COMMANDS, word).name);
  } catch {
    return false;
  }
}

/** Runs the lines of `input`. A text in quotes may go over several. */
export async function runScript(input: NodeJS.ReadableStream, options: ScriptOptions): Promise<ExitCode> {
  return await withShell(options, true, async (shell, signal) => {
    let worst: ExitCode = ExitCode.ok;
    let text = '';
    const run = async (): Promise<Outcome> => {
      const outcome = await shell.runLine(text, signal);
      text = '';
      if (worst === ExitCode.ok) worst = outcome.exitCode;
      return outcome;
    };
    for await (const line of createInterface({ input })) {
      text += line;
      if (isUnfinished(text)) text += '\n';
      else if ((await run()).quit || signal.aborted) return worst;
    }
    await run();
    return worst;
  });
}

async function withShell(
  options: ScriptOptions,
  isOnline: boolean,
  run: (shell: Shell, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const output = new Output(options.output);
  const session = new ShellSession(options.session);
  // Ctrl-C ends the command, so that the session is closed and not left to expire; a second one ends the process.
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort(new DOMException('interrupted', 'AbortError'));
  process.once('SIGINT', onInterrupt);
  try {
    if (isOnline) {
      await session.open();
      const notice = setTimeout(() => output.remark(stillTrying(session)), NOTICE_MS);
      await session.client.connected({ signal: interrupt.signal }).finally(() => clearTimeout(notice));
    }
    const shell = new Shell(session, output, {
      env: options.output.env,
      onEvent: (event) => output.event(event),
      lendTerminal: (use) => use(),
    });
    return await run(shell, interrupt.signal);
  } catch (error) {
    return output.complaint(error);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    await session.close();
  }
}
