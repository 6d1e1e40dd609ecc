// Tells when one of a few files has changed: certificates and credentials live shorter than servers.
//
// Files are looked at once a second (stat, in Node's thread pool): notifications of the file system miss the renamed
// links by which secrets are mounted, and network file systems.

import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

const CHECK_MS = 1000;

export class FileWatch {
  /** What each file looked like when it was read last. */
  private readonly seen = new Map<string, string>();
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly onChange: () => void;
  private isLooking = false;

  /** Make it before the files are read, so that no change falls in between. */
  constructor(files: readonly string[], onChange: () => void) {
    this.onChange = onChange;
    for (const file of files) this.seen.set(file, looksOf(statSync(file, { throwIfNoEntry: false })));
    if (files.length > 0) this.timer = setInterval(() => void this.look(), CHECK_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.seen.clear();
  }

  private async look(): Promise<void> {
    if (this.isLooking) return; // a file system that is slow is not asked twice
    this.isLooking = true;
    let isChanged = false;
    for (const [file, before] of [...this.seen]) {
      const now = await stat(file).then(looksOf, () => before); // one that is gone may be about to come back
      if (now === before || !this.seen.has(file)) continue;
      this.seen.set(file, now);
      isChanged = true;
    }
    this.isLooking = false;
    if (isChanged) this.onChange();
  }
}

function looksOf(stats: Stats | undefined): string {
  return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}
