// Files that a flag or a setting names.

import { readFileSync } from 'node:fs';
import { UsageError } from '../errors.js';

/** @param where by which flag or setting it was named. Throws UsageError. */
export function readMaterial(where: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
}
