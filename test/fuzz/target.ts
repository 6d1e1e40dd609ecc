/**
 * What is fuzzed: something that takes bytes. A target makes inputs of its own that follow its grammar; mutate.ts spoils
 * them, and coverage.ts tells which were worth keeping.
 */
import { crc32 } from '../../src/server/storage/crc.js';
import { Random } from '../../src/std/random.js';

export interface Target {
  readonly name: string;
  /** What is attacked, and what it must not do beside crashing, hanging and growing. */
  readonly promise: string;
  /** A fresh input: valid, or nearly. */
  generate(random: Random): Uint8Array;
  /** Gets it ready; called once. */
  start(): Promise<Subject>;
  /** Cases at once; 1 where a case takes no time of others. */
  readonly lanes: number;
  /** Whether what is attacked runs in this process, so that coverage tells something. */
  readonly isInProcess: boolean;
}

export interface Subject {
  /** One case. Throws, or rejects, with what is wrong. */
  run(input: Uint8Array): void | Promise<void>;
  /** Now and then, and at the end: throws when something has leaked or does not add up. */
  check(): void | Promise<void>;
  stop(): Promise<void>;
}

/** What is left to chance in a case follows from its input, so that the input alone repeats it. */
export function randomOf(input: Uint8Array): Random {
  return new Random(crc32(input));
}

/** Something that must not happen has happened. */
export class Finding extends Error {
  override readonly name = 'Finding';
}
