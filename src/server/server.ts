// A server, from its configuration to its last flush. A member of an ensemble whose database is damaged, or has become
// another than that of its peers, does not serve it: it sets it aside, and lives on with a copy of theirs.

import type { ServerConfig } from './config/index.js';
import { type Ending, Incarnation, type Ports } from './incarnation.js';
import type { Logger } from './logging.js';
import { StorageError, setDatabaseAside } from './storage/index.js';

export interface RunningServer {
  /** The port clients are served on; that for TLS when it is the only one. */
  readonly port: number;
  /** The port for clients over TLS; undefined when there is none. */
  readonly securePort: number | undefined;
  /** Resolves when the server has stopped by itself, because it cannot go on; never rejects. */
  readonly failed: Promise<Error>;
  /** Stops cleanly: hangs up on clients, finishes what is on its way to disk. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a server and resolves when clients can connect; a member of an ensemble serves them once there is a leader.
 * Throws StorageError when the data directory is held by another server or damaged, the system's error when a port
 * cannot be had, and ConfigError when the TLS port or an HTTP port that was asked for cannot, or key material cannot be
 * used.
 */
export async function startServer(config: ServerConfig, logger: Logger): Promise<RunningServer> {
  return new Server(config, logger).start();
}

class Server {
  private readonly config: ServerConfig;
  private readonly logger: Logger;
  private current: Incarnation;
  private isStopping = false;
  private fail!: (error: Error) => void;
  private readonly failed: Promise<Error>;

  constructor(config: ServerConfig, logger: Logger) {
    this.config = config;
    this.logger = logger;
    this.current = new Incarnation(config, logger);
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  async start(): Promise<RunningServer> {
    const { plain, secure } = await this.begin();
    return {
      port: plain ?? secure ?? 0,
      securePort: secure,
      failed: this.failed,
      stop: () => {
        this.isStopping = true;
        return this.current.stop();
      },
    };
  }

  private async begin(): Promise<Ports> {
    let ports: Ports;
    try {
      ports = await this.current.start();
    } catch (error) {
      if (!this.config.replicated || !(error instanceof StorageError) || error.code !== 'DAMAGED') throw error;
      await this.setAside(error.message);
      ports = await this.current.start();
    }
    void this.current.ended.then((ending) => this.ended(ending));
    return ports;
  }

  private async ended(ending: Ending): Promise<void> {
    if (this.isStopping) return;
    try {
      if (ending.kind === 'failed') throw ending.error;
      await this.current.stop();
      await this.setAside(ending.reason);
      await this.begin();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private async setAside(reason: string): Promise<void> {
    const { config, logger } = this;
    const { asideName } = await setDatabaseAside(config.dataDir, reason);
    logger.error(`${reason} It is set aside as ${asideName}; this server takes a copy from the others`, {
      directory: config.dataDir,
    });
    this.current = new Incarnation(config, logger);
  }
}
