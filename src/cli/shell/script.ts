// The shell for programs: one command from the command line, or a script from standard input. A command that fails does
// not stop a script; the exit code is that of the first failure. Without a connection nothing is run.

import { createInterface } from 'node:readline';
import { COMMANDS } from './commands/index.js';
import { ExitCode } from './errors.js';
import { commandNamed } from './lookup.js';
import { Output, type OutputOptions } from './output.js';
import { ShellSession, type ShellSessionOptions } from './session.js';
import { Shell } from './shell.js';

/** Commands that make sense without a server. */
const OFFLINE = new Set(['help', 'h', '?', 'version', 'quit', 'exit', 'history']);

export interface ScriptOptions {
  readonly output: OutputOptions;
  readonly session: ShellSessionOptions;
}

/** Runs one command, given as its words. */
export async function runCommand(words: readonly string[], options: ScriptOptions): Promise<ExitCode> {
  // A word that is no command is complained about at once, whether or not there is a server.
  const needsServer = isCommand(words[0]) && !OFFLINE.has(words[0]);
  return await withShell(options, needsServer, async (shell) => (await shell.run(words, signal())).exitCode);
}

/** When to say that no server has answered yet. */
export const NOTICE_MS = 2000;

export function stillTrying({ server, timeoutMs }: ShellSession): string {
  return `No answer from ${server} yet; trying for ${Math.ceil(timeoutMs / 1000)} s. Ctrl-C gives up.`;
}

function isCommand(word: string): boolean {
  try {
    commandNamed(COMMANDS, word);
    return true;
  } catch {
    return false;
  }
}

/** Runs the lines of `input`. */
export async function runScript(input: NodeJS.ReadableStream, options: ScriptOptions): Promise<ExitCode> {
  return await withShell(options, true, async (shell) => {
    let worst: ExitCode = ExitCode.ok;
    for await (const line of createInterface({ input })) {
      const { exitCode, quit } = await shell.runLine(line, signal());
      if (worst === ExitCode.ok) worst = exitCode;
      if (quit) break;
    }
    return worst;
  });
}

async function withShell(
  options: ScriptOptions,
  needsServer: boolean,
  run: (shell: Shell) => Promise<ExitCode>,
): Promise<ExitCode> {
  const output = new Output(options.output);
  const session = new ShellSession(options.session);
  try {
    if (needsServer) {
      await session.open();
      const notice = setTimeout(() => output.remark(stillTrying(session)), NOTICE_MS);
      await session.client.connected().finally(() => clearTimeout(notice));
    }
    return await run(new Shell(session, output));
  } catch (error) {
    return output.complaint(error);
  } finally {
    await session.close();
  }
}

/** Ctrl-C ends the whole process here, so nothing aborts a single command. */
function signal(): AbortSignal {
  return new AbortController().signal;
}
