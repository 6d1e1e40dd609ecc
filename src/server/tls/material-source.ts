// Material that follows its files: certificates live for months and servers for longer, so when a file changes it is
// read again, and whoever speaks TLS takes the new material for the connections to come; those that are open go on.
// A new file that cannot be used is told in the log, and the old material stays.

import { FileWatch } from '../file-watch.js';
import type { Logger } from '../logging.js';
import { subjectName } from './distinguished-name.js';
import { type LoadedMaterial, loadMaterial, type TlsMaterial } from './material.js';
import type { TlsSettings } from './settings.js';

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
  private readonly watch: FileWatch;
  private current: TlsMaterial;

  /** Reads the files. Throws ConfigError as loadMaterial does. */
  constructor(settings: TlsSettings, logger: Logger, options: MaterialSourceOptions = {}) {
    this.settings = settings;
    this.logger = logger;
    this.checksPeers = options.checksPeers ?? settings.clientAuth !== 'none';
    this.watch = new FileWatch(options.reload === false ? [] : files(settings, this.checksPeers), () => this.reload());
    try {
      this.current = this.told(loadMaterial(settings, this.checksPeers), 'uses');
    } catch (error) {
      this.watch.close();
      throw error;
    }
  }

  get material(): TlsMaterial {
    return this.current;
  }

  /** Calls `listener` with each new material from now on. */
  onChange(listener: (material: TlsMaterial) => void): void {
    this.listeners.add(listener);
  }

  close(): void {
    this.watch.close();
    this.listeners.clear();
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
