/**
 * A disk of a few MiB that can be filled and emptied at will: a tmpfs, which takes root and the right to mount.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from './processes.js';

const BALLAST = 'ballast';
const PIECE_BYTES = 64 * 1024;

export class SmallDisk {
  readonly directory = temporaryDirectory('zabra-disk');

  private constructor(mebibytes: number) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', this.directory], { stdio: 'pipe' });
  }

  static mount(mebibytes: number): SmallDisk {
    return new SmallDisk(mebibytes);
  }

  /** Why there can be none here; undefined when there can. */
  static whyNot(): string | undefined {
    if (process.getuid?.() !== 0) return 'no small disk: mounting a tmpfs takes root';
    try {
      SmallDisk.mount(1)[Symbol.dispose]();
      return undefined;
    } catch {
      return 'no small disk: a tmpfs cannot be mounted here';
    }
  }

  /** Takes all the room that is left. */
  fill(): void {
    const file = openSync(join(this.directory, BALLAST), 'a');
    const piece = new Uint8Array(PIECE_BYTES);
    try {
      for (;;) writeSync(file, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what fill took. */
  free(): void {
    rmSync(join(this.directory, BALLAST), { force: true });
  }

  [Symbol.dispose](): void {
    try {
      execFileSync('umount', ['-l', this.directory], { stdio: 'pipe' });
    } finally {
      removeDirectory(this.directory);
    }
  }
}
