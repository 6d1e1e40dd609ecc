// Runs commands: from words to output. The interactive shell, scripts and the one command of the command line all go
// through here.

import type { WatchEvent } from '../../client/index.js';
import type { Context, Environment, Settings } from './command.js';
import { COMMANDS } from './commands/index.js';
import { ExitCode, UsageError } from './errors.js';
import { commandNamed } from './lookup.js';
import type { Output } from './output.js';
import type { ShellSession } from './session.js';
import { splitWords } from './words.js';

export interface Outcome {
  readonly exitCode: ExitCode;
  readonly quit: boolean;
}

/** What surrounds the shell. */
export interface Surroundings {
  readonly env: Environment;
  /** What to do with the events of watches. */
  readonly onEvent: (event: WatchEvent) => void;
  readonly lendTerminal: Context['lendTerminal'];
}

export class Shell {
  readonly session: ShellSession;
  readonly output: Output;
  readonly history: string[] = [];
  readonly settings: Settings = { printsWatches: true };
  readonly #surroundings: Surroundings;

  constructor(session: ShellSession, output: Output, surroundings: Surroundings) {
    this.session = session;
    this.output = output;
    this.#surroundings = surroundings;
  }

  /** Runs a line; an empty one, or one that begins with #, does nothing. Never fails: complaints are printed. */
  async runLine(line: string, signal: AbortSignal): Promise<Outcome> {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return { exitCode: ExitCode.ok, quit: false };
    this.history.push(text);
    return await this.#runText(text, signal);
  }

  /** One function for all watches, so that the client knows a watch that is set twice for the same. */
  readonly #watch = (event: WatchEvent): void => {
    if (this.settings.printsWatches) this.#surroundings.onEvent(event);
  };

  async #runText(text: string, signal: AbortSignal): Promise<Outcome> {
    const { words, openQuote } = splitWords(text);
    if (openQuote !== undefined) {
      return this.#complain(new UsageError(`The text that begins with ${openQuote} has no ${openQuote} at its end`));
    }
    return await this.run(
      words.map((word) => word.text),
      signal,
    );
  }

  /** Runs one command. Never fails. */
  async run(words: readonly string[], signal: AbortSignal): Promise<Outcome> {
    const { session, output, history } = this;
    const { env, lendTerminal } = this.#surroundings;
    const context: Context = {
      get client() {
        return session.client;
      },
      session,
      signal,
      watch: this.#watch,
      style: output.style,
      settings: this.settings,
      history,
      remark: (text) => output.remark(text),
      lendTerminal,
      env,
    };
    try {
      const [name, ...rest] = words;
      const result = await commandNamed(COMMANDS, name).run(context, rest);
      if (result.again !== undefined) return await this.#runText(result.again, signal);
      await output.result(result, signal);
      return { exitCode: result.exitCode ?? ExitCode.ok, quit: result.quit ?? false };
    } catch (error) {
      return this.#complain(error);
    }
  }

  #complain(error: unknown): Outcome {
    return { exitCode: this.output.complaint(error), quit: false };
  }
}
