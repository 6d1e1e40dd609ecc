// The shell's way out: results to standard output, complaints to standard error, for people or (--json) for programs.
// Colours, and the masking of control characters, only where the stream is a terminal.

import type { WatchEvent } from '../../client/index.js';
import type { Result } from './command.js';
import { complaintOf, type ExitCode } from './errors.js';
import { eventJson, eventText } from './format.js';

/** Marks parts of a text; the identity where there are no colours. */
export interface Style {
  readonly name: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly error: (text: string) => string;
  /** Content from the server: on a terminal it must not be able to steer it. */
  readonly content: (text: string) => string;
}

const plain = (text: string): string => text;
export const PLAIN: Style = { name: plain, dim: plain, bold: plain, error: plain, content: plain };

const sgr = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`;
export const COLOURED: Style = { name: sgr(36), dim: sgr(2), bold: sgr(1), error: sgr(31), content: masked };

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
  write(text: string): unknown;
}

/** NO_COLOR is honoured: see no-color.org. */
export function styleFor(stream: TextStream, env: Readonly<Record<string, string | undefined>>): Style {
  if (stream.isTTY !== true) return PLAIN;
  return env.NO_COLOR === undefined || env.NO_COLOR === '' ? COLOURED : { ...PLAIN, content: masked };
}

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class Output {
  readonly style: Style;
  readonly #errorStyle: Style;
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.style = options.json ? PLAIN : styleFor(options.stdout, options.env);
    this.#errorStyle = options.json ? PLAIN : styleFor(options.stderr, options.env);
  }

  result({ lines, json }: Result): void {
    if (this.#options.json) this.#options.stdout.write(`${JSON.stringify(json)}\n`);
    else if (lines.length > 0) this.#options.stdout.write(`${lines.join('\n')}\n`);
  }

  /** Returns the exit code that the error stands for. */
  complaint(error: unknown): ExitCode {
    const { name, message, exitCode } = complaintOf(error);
    const text = this.#options.json ? JSON.stringify({ error: { name, message } }) : this.#errorStyle.error(message);
    this.#options.stderr.write(`${text}\n`);
    return exitCode;
  }

  event(event: WatchEvent): void {
    const text = this.#options.json
      ? JSON.stringify({ event: eventJson(event) })
      : `\nWATCHER::\n\n${eventText(event)}`;
    this.#options.stdout.write(`${text}\n`);
  }

  /** As note(), to standard error: for people who wait for a result that goes elsewhere. */
  remark(text: string): void {
    if (!this.#options.json) this.#options.stderr.write(`${this.#errorStyle.dim(text)}\n`);
  }

  /** A remark that is no result: for people only. */
  note(text: string): void {
    if (!this.#options.json) this.#options.stdout.write(`${this.style.dim(text)}\n`);
  }
}
