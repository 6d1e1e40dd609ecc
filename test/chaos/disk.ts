/**
 * A disk for one server that can run full, die and come back: an ext4 file system of its own in a file, mounted through a
 * loop device. Needs root. A disk that dies answers every read, write and fsync with EIO, and has lost what was not
 * synced: that is the file system's own emergency shutdown, so what the servers see is the kernel's doing.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Of which the file takes what is used. */
const BYTES = 2 * 1024 * 1024 * 1024;
const BALLAST = 'ballast';
const PIECE_BYTES = 64 * 1024;
/** EXT4_IOC_SHUTDOWN without flushing the journal. */
const SHUTDOWN =
  'import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))';

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

export class Disk {
  /** Where it is mounted. */
  readonly directory: string;
  private readonly image: string;

  private constructor(place: string) {
    this.directory = join(place, 'disk');
    this.image = join(place, 'image');
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(this.image, '');
    truncateSync(this.image, BYTES);
    // Without a reserve for root, or it would never be full for one.
    run('mkfs.ext4', '-q', '-m', '0', this.image);
    this.mount();
  }

  /** Throws what the system says when there can be none. */
  static make(place: string): Disk {
    return new Disk(place);
  }

  /** Why there can be none here; undefined when there can. `place` is a directory for a try. */
  static whyNot(place: string): string | undefined {
    try {
      const disk = Disk.make(place);
      disk.die();
      disk.replace();
      disk.unmount();
      return undefined;
    } catch (error) {
      return `no disks of their own: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`;
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }

  /** Takes all the room that is left. */
  fill(): void {
    const ballast = join(this.directory, BALLAST);
    const { bavail, bsize } = statfsSync(this.directory);
    if (bavail > 0) run('fallocate', '-l', String(Math.max(1, bavail - 16) * bsize), ballast);
    const file = openSync(ballast, 'a');
    try {
      for (;;) writeSync(file, new Uint8Array(PIECE_BYTES));
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

  /** What is on it survives its death. */
  sync(): void {
    run('sync', '-f', this.directory);
  }

  /** From now on everything fails, and what was not synced is lost. */
  die(): void {
    run('python3', '-c', SHUTDOWN, this.directory);
  }

  /** Brings a dead disk back, with what had been synced. Nobody may have a file open on it. */
  replace(): void {
    this.unmount();
    this.mount();
  }

  /** Nobody may have a file open on it. */
  setReadOnly(isReadOnly: boolean): void {
    run('mount', '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.directory);
  }

  unmount(): void {
    run('umount', this.directory);
  }

  private mount(): void {
    run('mount', '-o', 'loop', this.image, this.directory);
  }
}
