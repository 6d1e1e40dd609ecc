// The shell's way out: results to standard output, complaints to standard error, for people or (--json) for programs.
// Colours, and the masking of control characters, only where the stream is a terminal.
//
// A long result leaves in pieces. After each, whoever reads has to have taken it (a pipe says so), and the event loop gets
// its turn (writing to a terminal blocks), so that meanwhile Ctrl-C is heard, the session kept alive, and a list that is
// read from the server as it is printed never held as a whole. An event that arrives in the middle of a line waits for the
// line's end.

import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WatchEvent } from '../../client/index.js';
import type { Environment, Result } from './command.js';
import { complaintOf, type ExitCode } from './errors.js';
import { eventJson, eventText } from './format.js';

const PIECE_BYTES = 16_384;

/** Marks parts of a text; the identity where there are no colours. */
export interface Style {
  /** Whether somebody looks at it, so that it may be arranged for the eye. */
  readonly isTerminal: boolean;
  readonly name: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly error: (text: string) => string;
  readonly text: (text: string) => string;
  readonly value: (text: string) => string;
  /** Content from the server: on a terminal it must not be able to steer it. */
  readonly content: (text: string) => string;
}

const same = (text: string): string => text;
const COLOURLESS = { name: same, dim: same, bold: same, error: same, text: same, value: same };
export const PLAIN: Style = { ...COLOURLESS, isTerminal: false, content: same };

const sgr = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`;
export const COLOURED: Style = {
  isTerminal: true,
  name: (text) => `\x1b[36m${masked(text)}\x1b[0m`,
  dim: sgr(2),
  bold: sgr(1),
  error: sgr(31),
  text: sgr(32),
  value: sgr(33),
  content: masked,
};

/** Control characters but for tab and newline as \xNN. */
export function masked(text: string): string {
  let safe = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isControl = (code < 0x20 && code !== 9 && code !== 10) || (code >= 0x7f && code < 0xa0);
    safe += isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  }
  return safe;
}

export interface TextStream {
  readonly isTTY?: boolean;
  /** False: wait for `drain` before the next. */
  write(data: string | Uint8Array): boolean;
}

/** NO_COLOR is honoured: see no-color.org. */
export function styleFor(stream: TextStream, env: Environment): Style {
  if (stream.isTTY !== true) return PLAIN;
  const isPlain = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return isPlain ? { ...COLOURLESS, isTerminal: true, name: masked, content: masked } : COLOURED;
}

export interface OutputOptions {
  readonly stdout: TextStream & NodeJS.EventEmitter;
  readonly stderr: TextStream;
  readonly json: boolean;
  /** Without remarks, hints and confirmations. */
  readonly quiet: boolean;
  readonly env: Environment;
}

export class Output {
  readonly style: Style;
  readonly #errorStyle: Style;
  readonly #options: OutputOptions;
  /** Events that arrived in the middle of a line; undefined at the beginning of one. */
  #waiting: string[] | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.style = options.json ? PLAIN : styleFor(options.stdout, options.env);
    this.#errorStyle = options.json ? PLAIN : styleFor(options.stderr, options.env);
  }

  /** Resolves when it is written. Rejects when the signal aborts meanwhile, and with what the result fails with. */
  async result({ lines, quietLines, bytes, json }: Result, signal: AbortSignal): Promise<void> {
    if (this.#options.json) return await this.#jsonResult(json, signal);
    if (bytes !== undefined && !this.style.isTerminal) return await this.#write(bytes, signal);
    await this.#lines(this.#options.quiet ? (quietLines ?? lines) : lines, signal);
  }

  /** Returns the exit code that the error stands for. */
  complaint(error: unknown): ExitCode {
    const { name, message, hint, usage, exitCode } = complaintOf(error);
    const { json, quiet, stderr } = this.#options;
    const withHint = hint === undefined || quiet ? message : `${message} (try: ${hint})`;
    const text = usage === undefined || quiet ? withHint : `${withHint}\nUsage: ${usage}`;
    stderr.write(`${json ? JSON.stringify({ error: { name, message: text } }) : this.#errorStyle.error(text)}\n`);
    return exitCode;
  }

  event(event: WatchEvent): void {
    const { json, stdout } = this.#options;
    const text = json
      ? `${JSON.stringify({ event: eventJson(event) })}\n`
      : `\nWATCHER::\n\n${this.style.content(eventText(event))}\n`;
    if (this.#waiting === undefined) stdout.write(text);
    else this.#waiting.push(text);
  }

  /** As note(), to standard error: for people who wait for a result that goes elsewhere. */
  remark(text: string): void {
    const { json, quiet, stderr } = this.#options;
    if (!json && !quiet) stderr.write(`${this.#errorStyle.dim(text)}\n`);
  }

  /** A remark that is no result: for people only. */
  note(text: string): void {
    const { json, quiet, stdout } = this.#options;
    if (!json && !quiet) stdout.write(`${this.style.dim(text)}\n`);
  }

  async #jsonResult(json: unknown, signal: AbortSignal): Promise<void> {
    if (isAsyncIterable(json)) return await this.#lines(jsonLines(json), signal);
    const value: unknown = typeof json === 'function' ? await json() : json;
    await this.#write(`${JSON.stringify(value)}\n`, signal);
  }

  /** Lines that are at hand leave together; those that are still to come leave as they do. */
  async #lines(lines: Iterable<string> | AsyncIterable<string>, signal: AbortSignal): Promise<void> {
    if (isAsyncIterable(lines)) {
      for await (const piece of joined(lines)) await this.#write(piece, signal);
    } else {
      await this.#write([...lines].map((line) => `${line}\n`).join(''), signal);
    }
  }

  async #write(data: string | Uint8Array, signal: AbortSignal): Promise<void> {
    const { stdout } = this.#options;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    let at = 0;
    this.#waiting = [];
    try {
      for (; at < bytes.length; at += PIECE_BYTES) {
        signal.throwIfAborted();
        if (!stdout.write(bytes.subarray(at, at + PIECE_BYTES))) await once(stdout, 'drain', { signal });
        await nextTurn();
      }
    } catch (error) {
      if (at > 0) stdout.write('\n'); // what comes next begins on a line of its own
      throw signal.aborted ? signal.reason : error;
    } finally {
      for (const text of this.#waiting) stdout.write(text);
      this.#waiting = undefined;
    }
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<string> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const value of values) yield JSON.stringify(value);
}

const SLOW = Symbol('nothing within this turn');

/** Those that come within one turn of the event loop in one piece: a write for each would cost more than the list. */
async function* joined(lines: AsyncIterable<string>): AsyncIterable<string> {
  const iterator = lines[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<string>> | undefined;
  let turn: Promise<typeof SLOW> | undefined;
  let piece = '';
  try {
    for (;;) {
      next ??= iterator.next();
      turn ??= nextTurn(SLOW);
      const step = piece === '' ? await next : await Promise.race([next, turn]);
      const isOver = step !== SLOW && step.done === true;
      if (step === SLOW) turn = undefined;
      else {
        if (!isOver) piece += `${step.value}\n`;
        next = undefined;
      }
      if (piece.length >= PIECE_BYTES || ((step === SLOW || isOver) && piece !== '')) {
        yield piece;
        piece = '';
      }
      if (isOver) return;
    }
  } finally {
    await iterator.return?.();
  }
}
