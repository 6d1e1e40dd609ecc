// The server's log: one line per record, readable on a terminal, JSON for machines. winston does levels and writing;
// no other file knows it. Whatever is handed over, logging never throws and never breaks a record into two lines, so a
// client cannot forge records by what it sends.
//
// Configurations are logged through redactedConfig (config/render.ts), which hides passwords and the superuser's hash.

import type { Writable } from 'node:stream';
import winston from 'winston';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Facts beside the message: numbers, texts, bigints, errors, small objects. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the server logs through. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  /** The least severe level that is written. */
  readonly level: LogLevel;
  /** `auto` is text on a terminal and JSON lines otherwise. */
  readonly format: 'auto' | 'text' | 'json';
  readonly stream: Writable;
  /** Colours are used only there. */
  readonly isTerminal: boolean;
  /** The time of a record; the system's clock by default. */
  readonly now?: () => Date;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
const COLOURS: Readonly<Record<LogLevel, string>> = {
  error: '\x1b[31m',
  warn: '\x1b[33m',
  info: '\x1b[32m',
  debug: '\x1b[90m',
};
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';
const BYTES_SHOWN_MAX = 32;

/** A logger that writes to the stream. A stream that fails loses records and nothing else. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, stream, isTerminal, now = () => new Date() } = options;
  const json = options.format === 'json' || (options.format === 'auto' && !isTerminal);
  const stacks = level === 'debug';
  // A reader that went away (EPIPE) must not end the server.
  stream.on('error', () => {});
  const sink = winston.createLogger({
    levels: LEVELS,
    level,
    format: winston.format.printf(({ message }) => String(message)),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  const write = (recordLevel: LogLevel, message: string, fields: LogFields): void => {
    if (LEVELS[recordLevel] > LEVELS[level]) return;
    try {
      const time = now().toISOString();
      const line = json
        ? jsonLine(time, recordLevel, message, fields)
        : textLine(time, recordLevel, message, fields, isTerminal, stacks);
      sink.log(recordLevel, line);
    } catch {
      // A record that cannot be written must not take the work down that it tells about.
    }
  };
  return {
    debug: (message, fields = {}) => write('debug', message, fields),
    info: (message, fields = {}) => write('info', message, fields),
    warn: (message, fields = {}) => write('warn', message, fields),
    error: (message, fields = {}) => write('error', message, fields),
  };
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const record: Record<string, unknown> = { time, level, message };
  for (const [name, value] of entriesOf(fields)) record[name in record ? `${name}_` : name] = plain(value, true);
  return JSON.stringify(record);
}

function textLine(
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
  coloured: boolean,
  stacks: boolean,
): string {
  const paint = (colour: string, text: string): string => (coloured ? `${colour}${text}${PLAIN}` : text);
  const pairs = entriesOf(fields).map(([name, value]) => ` ${paint(DIM, `${name}=`)}${textValue(value, stacks)}`);
  return `${paint(DIM, time)} ${paint(COLOURS[level], level.toUpperCase().padEnd(5))} ${oneLine(message)}${pairs.join('')}`;
}

/** Fields without those that are undefined; one that cannot be read says so. */
function entriesOf(fields: LogFields): [string, unknown][] {
  return Object.keys(fields).flatMap((name): [string, unknown][] => {
    try {
      const value = fields[name];
      return value === undefined ? [] : [[name, value]];
    } catch {
      return [[name, '<unreadable>']];
    }
  });
}

function textValue(value: unknown, stacks: boolean): string {
  if (value instanceof Error && !stacks) return JSON.stringify(`${value.name}: ${value.message}`);
  const simple = plain(value, stacks);
  if (typeof simple === 'string') return /^[^\s"=\p{Cc}]+$/u.test(simple) ? simple : JSON.stringify(simple);
  return JSON.stringify(simple);
}

/** A value JSON can hold. Circles are cut, bytes are shortened, bigints become text, errors keep what helps. */
function plain(value: unknown, stacks: boolean, above: readonly object[] = []): unknown {
  try {
    if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(value);
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (above.includes(value)) return '<circular>';
    const path = [...above, value];
    if (value instanceof Uint8Array) return bytesAsText(value);
    if (value instanceof Date) return value.toJSON();
    if (value instanceof Error) {
      const { name, message, stack, cause, ...rest } = value;
      const facts = { name, message, ...rest, cause: cause ?? undefined, stack: stacks ? stack : undefined };
      return plainObject(facts, stacks, path);
    }
    if (value instanceof Map) return plainObject(Object.fromEntries(value), stacks, path);
    if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map((item) => plain(item, stacks, path));
    return plainObject(value, stacks, path);
  } catch {
    return '<unreadable>';
  }
}

function plainObject(value: object, stacks: boolean, path: readonly object[]): Record<string, unknown> {
  return Object.fromEntries(entriesOf(value as LogFields).map(([name, inner]) => [name, plain(inner, stacks, path)]));
}

function bytesAsText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, BYTES_SHOWN_MAX), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > BYTES_SHOWN_MAX ? `${shown}… (${bytes.length} bytes)` : shown;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) =>
    character === '\t' ? ' ' : JSON.stringify(character).slice(1, -1),
  );
}
