// Material that follows its files: certificates live for months and servers for longer, so when a file changes it is
// read again, and whoever speaks TLS takes the new material for the connections to come; those that are open go on.
// A new file that cannot be used is told in the log, and the old material stays.
//
// Files are looked at once a second (stat, in Node's thread pool): notifications of the file system miss the renamed
// links by which secrets are mounted, and network file systems.

import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Logger } from '../logging.js';
import { subjectName } from './distinguished-name.js';
import { type LoadedMaterial, loadMaterial, type TlsMaterial } from './material.js';
import type { TlsSettings } from './settings.js';

const CHECK_MS = 1000;
const DAY_MS = 86_400_000;
const EXPIRY_WARNING_DAYS = 14;

export interface MaterialSourceOptions {
  /** Whether certificates of others are checked; by default unless clientAuth is none. */
  readonly checksPeers?: boolean;
  /** Read files again when they change. Default true. */
  readonly reload?: boolean;
}

export class MaterialSource {
  readonly settings: TlsSettings;
  private readonly logger: Logger;
  private readonly checksPeers: boolean;
  private readonly listeners = new Set<(material: TlsMaterial) => void>();
  /** What each file looked like when it was read last: taken before reading, so that no change falls in between. */
  private readonly seen = new Map<string, string>();
  private readonly timer: NodeJS.Timeout | undefined;
  private isLooking = false;
  private current: TlsMaterial;

  /** Reads the files. Throws ConfigError as loadMaterial does. */
  constructor(settings: TlsSettings, logger: Logger, options: MaterialSourceOptions = {}) {
    this.settings = settings;
    this.logger = logger;
    this.checksPeers = options.checksPeers ?? settings.clientAuth !== 'none';
    const watched = options.reload === false ? [] : files(settings, this.checksPeers);
    for (const file of watched) this.seen.set(file, looksOf(statSync(file, { throwIfNoEntry: false })));
    this.current = this.told(loadMaterial(settings, this.checksPeers), 'uses');
    if (watched.length > 0) this.timer = setInterval(() => void this.look(), CHECK_MS).unref();
  }

  get material(): TlsMaterial {
    return this.current;
  }

  /** Calls `listener` with each new material from now on. */
  onChange(listener: (material: TlsMaterial) => void): void {
    this.listeners.add(listener);
  }

  close(): void {
    clearInterval(this.timer);
    this.seen.clear();
    this.listeners.clear();
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
    if (isChanged) this.reload();
  }

  private reload(): void {
    const { prefix } = this.settings;
    try {
      this.current = this.told(loadMaterial(this.settings, this.checksPeers), 'has read the files again, and uses');
      for (const listener of this.listeners) listener(this.current);
    } catch (error) {
      this.logger.error(`${prefix}.*: changed files are not used, the old ones stay: ${(error as Error).message}`);
    }
  }

  private told({ material, certificate }: LoadedMaterial, verb: string): TlsMaterial {
    const daysLeft = (Date.parse(certificate.validTo) - Date.now()) / DAY_MS;
    const isDue = daysLeft < EXPIRY_WARNING_DAYS;
    this.logger[isDue ? 'warn' : 'info'](
      `TLS (${this.settings.prefix}.*) ${verb} the certificate of ${subjectName(certificate.raw)}, ` +
        `which ${daysLeft < 0 ? 'has expired on' : 'is good until'} ${certificate.validTo}`,
    );
    return material;
  }
}

function files({ keyStore, trustStore }: TlsSettings, checksPeers: boolean): string[] {
  const stores = checksPeers ? [keyStore, trustStore] : [keyStore];
  const named = stores.flatMap(({ location, passwordPath }) => [location, passwordPath]);
  return [...new Set(named.filter((file) => file !== undefined))];
}

function looksOf(stats: Stats | undefined): string {
  return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}
