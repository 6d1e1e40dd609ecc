// The shell at a terminal. Readline edits the line; what arrives while somebody types (an event, a change of the
// connection) is printed above it, and the line drawn again below.

import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { StateChange } from '../../client/index.js';
import { complete } from './complete.js';
import { ExitCode } from './errors.js';
import { Output, type OutputOptions } from './output.js';
import { NOTICE_MS } from './script.js';
import { ShellSession, type ShellSessionOptions } from './session.js';
import { Shell } from './shell.js';

const HISTORY_LINES_MAX = 1000;
/** Lines that hold a secret are not kept. */
const SECRET = /^\s*addauth\b/i;

export interface InteractiveOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly output: OutputOptions;
  readonly session: Omit<ShellSessionOptions, 'onState'>;
}

/** Runs until quit, Ctrl-D, or Ctrl-C on an empty line. */
export async function runInteractive({ stdin, stdout, output: outputOptions, session: options }: InteractiveOptions) {
  const output = new Output(outputOptions);
  const session = new ShellSession({ ...options, onState: (change) => interrupt(() => stateChanged(change)) });
  const shell = new Shell(session, output, (event) => interrupt(() => output.event(event)));
  const historyFile = join(homedir(), '.zabra_history');
  const readline: Interface = createInterface({
    input: stdin,
    output: stdout,
    terminal: true,
    history: readHistory(historyFile),
    historySize: HISTORY_LINES_MAX,
    removeHistoryDuplicates: true,
    completer: (line: string, callback: (error: null, result: [string[], string]) => void) => {
      complete(line, session.clientOrNone).then(({ candidates, word }) => callback(null, [[...candidates], word]));
    },
  });
  let running: AbortController | undefined;
  let isOver = false;
  let notice: NodeJS.Timeout | undefined;

  const showPrompt = (keepCursor = false): void => {
    const state = session.clientOrNone?.state ?? 'CLOSED';
    readline.setPrompt(`[zk: ${session.server}(${state}) ${shell.history.length}] `);
    readline.prompt(keepCursor);
  };
  /** Prints above the line that is being typed. */
  const interrupt = (print: () => void): void => {
    if (isOver) return;
    if (running !== undefined) {
      print();
      return;
    }
    cursorTo(stdout, 0);
    clearLine(stdout, 0);
    print();
    showPrompt(true);
  };
  const stateChanged = ({ state, cause }: StateChange): void => {
    if (state === 'SUSPENDED') output.note(`The connection is lost: ${cause?.message ?? 'no reason known'}`);
    else if (state === 'LOST') output.note('The session is lost, with its ephemeral nodes and watches');
    else if (state === 'RECONNECTED') output.note(`Connected to ${session.server} again`);
  };

  readline.on('SIGINT', () => {
    if (running !== undefined) running.abort(new DOMException('interrupted', 'AbortError'));
    else if (readline.line === '') readline.close();
    else {
      stdout.write('^C\n');
      readline.write(null, { ctrl: true, name: 'u' });
      showPrompt();
    }
  });

  output.note(`Welcome to Zabra! Connecting to ${options.server}. Type help for the commands, quit to leave.`);
  try {
    await session.open();
    notice = setTimeout(() => {
      if (session.clientOrNone?.state === 'CONNECTING') interrupt(() => output.note(noServer(session.server)));
    }, NOTICE_MS);
    showPrompt();
    for await (const line of readline) {
      running = new AbortController();
      const { quit } = await shell.runLine(line, running.signal);
      running = undefined;
      if (quit) return ExitCode.ok;
      showPrompt();
    }
    stdout.write('\n');
    return ExitCode.ok;
  } catch (error) {
    return output.complaint(error);
  } finally {
    isOver = true;
    clearTimeout(notice);
    readline.close();
    keepHistory(historyFile, shell.history);
    await session.close();
  }
}

function noServer(server: string): string {
  return `No answer from ${server} yet; still trying. Another server: connect host:port. A new one: zabra server.`;
}

/** Newest first, as readline wants it. */
function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).reverse();
  } catch {
    return [];
  }
}

function keepHistory(file: string, lines: readonly string[]): void {
  const all = [...readHistory(file).reverse(), ...lines.filter((line) => !SECRET.test(line))];
  try {
    writeFileSync(file, `${all.slice(-HISTORY_LINES_MAX).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // A home that cannot be written to is no reason to complain about at the end of a session.
  }
}
