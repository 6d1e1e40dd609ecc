/**
 * What the clients of a chaos run do, and what must hold of it: each workload asks, notes what it was told, and can say
 * from its notes alone what was wrong. All of them run at the same time, each below a node of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientOptions } from '../../../src/client/index.js';
import type { Random } from '../../../src/std/random.js';
import type { Ask, Operation } from '../history.js';

/** A client of one server only. */
export interface Reader {
  readonly server: number;
  readonly client: Client;
}

export interface Stage {
  /** A node for this workload, which exists. */
  readonly root: string;
  readonly random: Random;
  /** True from when no more is to be asked. */
  readonly isOver: boolean;
  /** A client of the whole ensemble; it is closed for the workload. */
  connect(options?: ClientOptions): Promise<Client>;
  /** Notes an operation of this workload; see History. */
  call<T>(ask: Ask, work: () => Promise<T>, output: (result: T) => unknown): Promise<T | undefined>;
  note(ask: Ask, output?: unknown): void;
  readonly nowMs: number;
}

export interface Workload {
  readonly name: string;
  /** For the table of results: what must hold. */
  readonly promise: string;
  /** Before anything is broken. Returns what is to run until the stage is over. */
  begin(stage: Stage): Promise<Running>;
  /** What is wrong in the notes of this workload, a sentence each. */
  check(operations: readonly Operation[]): string[];
}

export interface Running {
  /** Each asks for one thing after the other until the stage is over. */
  readonly processes: readonly (() => Promise<void>)[];
  /** When everything is whole again and the processes have ended: looks at what is left, on each server. */
  finish?(readers: readonly Reader[]): Promise<void>;
}

/** A pause of about this length: processes do not march in step, and the load is no benchmark. */
export function pace(stage: Stage, ms: number): Promise<void> {
  return sleep(ms * (0.5 + stage.random.int(1000) / 1000));
}

export function processNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

export function textOf(data: Uint8Array | null): string {
  return data === null ? '' : Buffer.from(data).toString();
}

/** In sentences about operations. */
export function brief({ process, name, key, input, output, startMs, endMs, outcome, error }: Operation): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const result = outcome === 'ok' ? JSON.stringify(output) : `${outcome}${error === undefined ? '' : ` (${error})`}`;
  const asked = input === undefined ? '' : ` ${JSON.stringify(input)}`;
  return `process ${process}: ${name} ${key}${asked} → ${result} [${seconds(startMs)} … ${seconds(endMs)} s]`;
}

/** What no workload may meet: each asks only for nodes that were there before, and are not deleted as long as it asks. */
export function checkPresence(operations: readonly Operation[]): string[] {
  const absent = operations.filter(({ error }) => error === 'NoNode');
  return absent.length === 0 ? [] : [`${absent.length} times a node was not there: ${brief(absent[0])}`];
}

/** Operations by something they have in common, each group in the order of the notes. */
export function groupBy<Key>(
  operations: readonly Operation[],
  by: (operation: Operation) => Key,
): Map<Key, Operation[]> {
  const groups = new Map<Key, Operation[]>();
  for (const operation of operations) {
    const group = groups.get(by(operation));
    if (group === undefined) groups.set(by(operation), [operation]);
    else group.push(operation);
  }
  return groups;
}
