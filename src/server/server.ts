// A server, from its configuration to its last flush. A member of an ensemble whose database is damaged, or has become
// another than that of its peers, does not serve it: it sets it aside, and lives on with a copy of theirs.

import { Replica } from '../core/replica.js';
import { ROOT } from '../core/tree/tree.js';
import { type OpenHttp, openHttp } from './admin/http.js';
import { restoreServer } from './admin/snapshot/restore.js';
import { type TransferHost, Transfers } from './admin/transfers.js';
import type { ServerConfig } from './config/index.js';
import { type Ending, Incarnation, type Lasting, type Ports, type Running, recover } from './incarnation.js';
import type { Logger } from './logging.js';
import { startPauseMonitor } from './pause-monitor.js';
import { replicaOptions } from './replica-options.js';
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
  private readonly lasting: Lasting;
  private current: Incarnation;
  private http: OpenHttp | null = null;
  private stopping: Promise<void> | null = null;
  private fail!: (error: Error) => void;
  private readonly failed: Promise<Error>;

  constructor(config: ServerConfig, logger: Logger) {
    this.config = config;
    this.logger = logger;
    this.lasting = { pauses: startPauseMonitor(config, logger) };
    this.current = this.nextIncarnation();
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  async start(): Promise<RunningServer> {
    const { config, logger } = this;
    try {
      const { plain, secure } = await this.begin();
      const transfers = new Transfers(config, this.transferHost(), logger);
      this.http = await openHttp(config, () => this.running.facts.gather(), logger, transfers);
      return { port: plain ?? secure ?? 0, securePort: secure, failed: this.failed, stop: () => this.stop() };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private nextIncarnation(): Incarnation {
    return new Incarnation(this.config, this.logger, this.lasting);
  }

  private get running(): Running {
    const { running } = this.current;
    if (running === undefined) throw new Error('the server is starting');
    return running;
  }

  private async begin(): Promise<Ports> {
    let ports: Ports;
    try {
      ports = await this.current.start();
    } catch (error) {
      if (!this.canBeReplaced(error)) throw error;
      await this.setAside(error.message);
      ports = await this.current.start();
    }
    void this.current.ended.then((ending) => this.ended(ending));
    return ports;
  }

  private async ended(ending: Ending): Promise<void> {
    if (this.stopping !== null) return;
    try {
      if (ending.kind === 'failed' && !this.canBeReplaced(ending.error)) throw ending.error;
      await this.current.stop();
      await this.setAside(ending.kind === 'failed' ? ending.error.message : ending.reason);
      await this.begin();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Whether a copy of what the other servers have would help: whatever is damaged, they have it too. */
  private canBeReplaced(error: unknown): error is StorageError {
    return this.config.replicated && error instanceof StorageError && error.code === 'DAMAGED';
  }

  private async setAside(reason: string): Promise<void> {
    const { config, logger } = this;
    const { asideName } = await setDatabaseAside(config.dataDir, reason);
    logger.error(`${reason}: the database is set aside as ${asideName}, and a copy is taken from the other servers`, {
      directory: config.dataDir,
    });
    this.current = this.nextIncarnation();
  }

  /** What the admin commands `snapshot` and `restore` work on. */
  private transferHost(): TransferHost {
    const { config, logger } = this;
    const options = replicaOptions(config);
    return {
      authenticate: options.authenticate,
      isServing: () => this.running.replica.isServing,
      rootAcl: () => {
        const { acls, tree } = this.running.replica.world;
        return acls.list(tree.aclId(ROOT));
      },
      committedZxid: () => this.running.replica.appliedZxid,
      openSnapshot: () => this.running.storage.openSnapshot(),
      databaseBytes: () => this.running.storage.stats().databaseBytes,
      restore: config.replicated
        ? null
        : (stream) =>
            restoreServer(
              {
                dataDir: config.dataDir,
                acceptedEpoch: () => this.running.replica.peer.acceptedEpoch,
                verify: (recovered) => recover(new Replica(options), recovered, logger),
                suspend: () => this.current.stop(),
                resume: async () => {
                  this.current = this.nextIncarnation();
                  await this.begin();
                },
              },
              stream,
              logger,
            ),
    };
  }

  private stop(): Promise<void> {
    this.stopping ??= (async () => {
      this.lasting.pauses?.stop();
      await Promise.all([this.http?.close(), this.current.stop()]);
    })();
    return this.stopping;
  }
}
