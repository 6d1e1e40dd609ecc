// The shell at a terminal. Readline edits the line; what arrives while somebody types (an event, a change of the
// connection) is printed above it, and the line drawn again below.

import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { StateChange } from '../../client/index.js';
import { complete } from './complete.js';
import { ExitCode } from './errors.js';
import { addToHistory, HISTORY_LINES_MAX, historyFile, readHistory, trimHistory } from './history-file.js';
import { Output, type OutputOptions } from './output.js';
import { NOTICE_MS } from './script.js';
import { ShellSession, type ShellSessionOptions } from './session.js';
import { Shell } from './shell.js';
import { isUnfinished } from './words.js';

export interface InteractiveOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly output: OutputOptions;
  readonly session: Omit<ShellSessionOptions, 'onState'>;
}

/** Runs until quit or Ctrl-D. */
export async function runInteractive(options: InteractiveOptions): Promise<ExitCode> {
  return await new Terminal(options).run();
}

class Terminal {
  readonly #options: InteractiveOptions;
  readonly #output: Output;
  readonly #session: ShellSession;
  readonly #shell: Shell;
  readonly #readline: Interface;
  readonly #historyFile: string;
  /** What Ctrl-C ends; undefined while somebody types. */
  #running: AbortController | undefined;
  /** The lines before this one of a text in quotes. */
  #begun = '';
  #isOver = false;

  constructor(options: InteractiveOptions) {
    this.#options = options;
    const { stdin, stdout, output, session } = options;
    this.#output = new Output(output);
    this.#session = new ShellSession({
      ...session,
      onState: (change) => this.#interrupt(() => this.#stateChanged(change)),
    });
    this.#shell = new Shell(this.#session, this.#output, {
      env: output.env,
      onEvent: (event) => this.#interrupt(() => this.#output.event(event)),
      lendTerminal: (use) => this.#lend(use),
    });
    this.#historyFile = historyFile(output.env);
    const lines = readHistory(this.#historyFile);
    if (lines.length === HISTORY_LINES_MAX) trimHistory(this.#historyFile, lines);
    this.#readline = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      history: lines.reverse(),
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string, callback: (error: null, result: [string[], string]) => void) => {
        complete(line, this.#session.clientOrNone).then(({ candidates, word, hidden }) => {
          if (hidden > 0) this.#interrupt(() => this.#output.note(`${hidden} possibilities: type more of it, or ls`));
          callback(null, [[...candidates], word]);
        });
      },
    });
    this.#readline.on('SIGINT', () => this.#onCtrlC());
  }

  async run(): Promise<ExitCode> {
    const { server } = this.#options.session;
    this.#output.note(`Welcome to Zabra! Connecting to ${server}. Type help for the commands, quit to leave.`);
    let notice: NodeJS.Timeout | undefined;
    try {
      await this.#session.open();
      notice = setTimeout(() => {
        if (this.#session.clientOrNone?.state !== 'CONNECTING') return;
        this.#interrupt(() => this.#output.note(noServer(this.#session.server)));
      }, NOTICE_MS);
      this.#showPrompt();
      for await (const line of this.#readline) {
        if (await this.#runLine(line)) return ExitCode.ok;
        this.#showPrompt();
      }
      this.#options.stdout.write('\n');
      return ExitCode.ok;
    } catch (error) {
      return this.#output.complaint(error);
    } finally {
      this.#isOver = true;
      clearTimeout(notice);
      this.#readline.close();
      await this.#session.close();
    }
  }

  /** Returns whether that was the end. */
  async #runLine(line: string): Promise<boolean> {
    const text = this.#begun + line;
    if (isUnfinished(text)) {
      this.#begun = `${text}\n`;
      return false;
    }
    this.#begun = '';
    addToHistory(this.#historyFile, text);
    this.#running = new AbortController();
    const { quit } = await this.#shell.runLine(text, this.#running.signal);
    this.#running = undefined;
    return quit;
  }

  #showPrompt(keepCursor = false): void {
    const state = this.#session.clientOrNone?.state ?? 'CLOSED';
    const prompt = `[zk: ${this.#session.server}(${state}) ${this.#shell.history.length}] `;
    this.#readline.setPrompt(this.#begun === '' ? prompt : '... '.padStart(prompt.length));
    this.#readline.prompt(keepCursor);
  }

  /** Prints above the line that is being typed, however many rows of the terminal it takes. */
  #interrupt(print: () => void): void {
    if (this.#isOver) return;
    if (this.#running !== undefined) {
      print();
      return;
    }
    const { stdout } = this.#options;
    moveCursor(stdout, 0, -this.#readline.getCursorPos().rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    print();
    Reflect.set(this.#readline, 'prevRows', 0); // else readline goes up to where its line was, over what was printed
    this.#showPrompt(true);
  }

  #stateChanged({ state, cause }: StateChange): void {
    if (state === 'SUSPENDED') this.#output.note(`The connection is lost: ${cause?.message ?? 'no reason known'}`);
    else if (state === 'LOST') this.#output.note('The session is lost, with its ephemeral nodes and watches');
    else if (state === 'RECONNECTED') this.#output.note(`Connected to ${this.#session.server} again`);
    else if (state === 'CLOSED' && cause !== undefined) this.#output.complaint(cause);
  }

  #onCtrlC(): void {
    if (this.#running !== undefined) {
      this.#running.abort(new DOMException('interrupted', 'AbortError'));
      return;
    }
    const isEmpty = this.#readline.line === '' && this.#begun === '';
    this.#options.stdout.write('^C\n');
    if (isEmpty) this.#output.note('Ctrl-D or quit leaves.');
    this.#begun = '';
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
    this.#showPrompt();
  }

  async #lend<T>(use: () => Promise<T>): Promise<T> {
    const { stdin } = this.#options;
    this.#readline.pause();
    stdin.setRawMode(false);
    try {
      return await use();
    } finally {
      stdin.setRawMode(true);
      this.#readline.resume();
    }
  }
}

function noServer(server: string): string {
  return `No answer from ${server} yet; still trying. Another server: connect host:port. A new one: zabra server.`;
}
