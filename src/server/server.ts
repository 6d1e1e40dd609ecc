// One server, from its configuration to its last flush: opens the disk, rebuilds the state, opens the port, and takes
// all of it down again in the opposite order.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { hex } from '../../protocol/ids.js';
import { decodeBatch } from '../../protocol/peer/codec.js';
import type { ReplicaOptions } from '../core/io.js';
import { limits } from '../core/limits.js';
import { Replica } from '../core/replica.js';
import { answerFourLetterWord, fourLetterWordAt, TRACE_MASK_BYTES, versionText } from './admin/four-letter-words.js';
import { type OpenHttp, openHttp } from './admin/http.js';
import { createAuthenticate } from './auth.js';
import { ConfigError, type ServerConfig } from './config/index.js';
import { FactGatherer } from './facts.js';
import type { Logger } from './logging.js';
import { ClientListener } from './net/client-listener.js';
import { Runtime } from './runtime.js';
import { type Recovered, Storage, StorageError } from './storage/index.js';

/** How often a full disk is tried again, in ms. */
const PROBE_MS = 500;
/** A checkpoint is due after this many bytes of requests even where the configuration allows far more. */
const CHECKPOINT_BYTES_MAX = 268_435_456;
const LISTEN_BACKLOG = 511;

export interface RunningServer {
  /** The port clients are served on. */
  readonly port: number;
  /** Resolves when the server has stopped by itself, because it cannot go on; never rejects. */
  readonly failed: Promise<Error>;
  /** Stops cleanly: hangs up on clients, finishes what is on its way to disk. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a server and resolves when it serves clients.
 * Throws StorageError when the data directory is held by another server or damaged, the system's error when the client
 * port cannot be had, and ConfigError when an HTTP port that was asked for cannot, or an ensemble is asked for.
 */
export async function startServer(config: ServerConfig, logger: Logger): Promise<RunningServer> {
  refuseEnsemble(config);
  return new Server(config, logger).start();
}

class Server {
  private readonly config: ServerConfig;
  private readonly logger: Logger;
  private readonly startedMs = Date.now();
  private stopping: Promise<void> | null = null;
  private fail!: (error: Error) => void;
  private readonly failed: Promise<Error>;

  constructor(config: ServerConfig, logger: Logger) {
    this.config = config;
    this.logger = logger;
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  async start(): Promise<RunningServer> {
    const { config, logger } = this;
    if (!config.dataDirAutocreate && !existsSync(config.dataDir)) {
      const message = `The directory ${config.dataDir} does not exist, and datadir.autocreate=false forbids to create it.`;
      throw new StorageError('ACCESS', message);
    }
    const { storage, recovered } = await Storage.open({
      directory: config.dataDir,
      sync: config.forceSync,
      slowSyncWarnMs: config.fsyncWarningThresholdMs,
      busyInfo: { address: `${config.clientListen?.host ?? '*'}:${config.clientListen?.port ?? '-'}` },
    });
    let listener: ClientListener | null = null;
    let runtime: Runtime | null = null;
    try {
      const replica = new Replica(replicaOptions(config));
      await this.recover(replica, recovered).catch((error) => {
        throw error instanceof StorageError ? error : damaged(error as Error, config.dataDir);
      });
      let serving!: () => void;
      const isServing = new Promise<void>((resolve) => {
        serving = resolve;
      });
      runtime = new Runtime(replica, storage, logger, { onServing: () => serving(), onBroken: this.fail });
      const facts = this.createFacts(replica, storage);
      listener = this.createListener(runtime, replica, facts);
      runtime.attach(listener);
      this.connectStorage(storage, runtime);
      runtime.run(() => replica.start(recovered));
      const broken = await Promise.race([isServing, this.failed]);
      if (broken instanceof Error) throw broken;
      const port = await listener.listen();
      const http = await openHttp(config, () => facts.gather(), logger);
      return {
        port,
        failed: this.failed,
        stop: () => this.stop(listener as ClientListener, http, runtime as Runtime, storage),
      };
    } catch (error) {
      await listener?.close();
      runtime?.stop();
      await storage.close();
      throw error;
    }
  }

  /** Checkpoint into the tree, then the log behind it. Throws an Error that says what is wrong with what was read. */
  private async recover(replica: Replica, recovered: Recovered): Promise<void> {
    const startMs = performance.now();
    if (recovered.checkpoint !== null) {
      for await (const pages of recovered.pages()) for (const page of pages) replica.loadPage(page);
      replica.finishLoad(recovered.checkpoint.header);
    }
    let entries = 0;
    for await (const batches of recovered.batches()) {
      for (const { bytes } of batches) {
        const batch = decodeBatch(bytes);
        replica.recoverBatch(batch);
        entries += batch.operations.length;
      }
    }
    const { tree, sessions } = replica.world;
    this.logger.info(
      `loaded ${tree.nodeCount} nodes and ${sessions.size} sessions, up to zxid ${hex(replica.appliedZxid)}`,
      {
        checkpoint: hex(recovered.checkpoint?.zxid ?? 0),
        replayed: entries,
        ms: Math.round(performance.now() - startMs),
      },
    );
  }

  private connectStorage(storage: Storage, runtime: Runtime): void {
    const { logger } = this;
    storage.onStored = (zxid) => runtime.input({ type: 'stored', zxid });
    storage.onCheckpointed = (zxid) => runtime.input({ type: 'checkpointed', zxid });
    storage.onCheckpointFailed = (error) => {
      logger.error(`a checkpoint was given up: ${error.message}`, { remedy: error.remedy });
      runtime.input({ type: 'checkpointFailed' });
    };
    storage.onCheckpointDrained = () => runtime.input({ type: 'checkpointDrained' });
    storage.onSlowSync = (ms) => logger.warn(`the disk took ${Math.round(ms)} ms to store a batch`);
    storage.onStoreFailed = (error, firstLostZxid) => {
      runtime.input({ type: 'storeFailed', firstLostZxid, reason: `${error.message} ${error.remedy}` });
      const retry = () => setTimeout(probe, PROBE_MS).unref();
      const probe = () => {
        storage.probe().then(
          (hasRoom) => {
            if (hasRoom) {
              storage.resume(firstLostZxid);
              runtime.input({ type: 'storeResumed' });
            } else retry();
          },
          () => {}, // it has stopped for good, and onFatal says so; or it is being closed
        );
      };
      retry();
    };
    storage.onFatal = (error) => this.fail(error);
  }

  private createFacts(replica: Replica, storage: Storage): FactGatherer {
    const { config, startedMs } = this;
    const version = versionText(packageVersion(), builtAt());
    return new FactGatherer({ config, replica, storage, version, startedMs });
  }

  private createListener(runtime: Runtime, replica: Replica, facts: FactGatherer): ClientListener {
    const { config, logger } = this;
    const listen = config.clientListen;
    return new ClientListener(
      {
        host: listen?.host,
        port: listen?.port ?? 0,
        backlog: config.clientPortListenBacklog > 0 ? config.clientPortListenBacklog : LISTEN_BACKLOG,
        perAddressMax: config.maxClientCnxns,
        totalMax: config.maxCnxns,
        frameBytesMax: config.juteMaxBuffer,
        sessionlessTimeoutMs: config.sessionlessCnxnTimeoutMs,
        keepAlive: config.tcpKeepAlive,
        rate: {
          tokensMax: config.connectionMaxTokens,
          fillCount: config.connectionTokenFillCount,
          fillMs: config.connectionTokenFillTimeMs,
        },
      },
      {
        refused: () => {
          replica.stats.connectionsRefused++;
        },
        connected: (connection, entropy) => runtime.input({ type: 'connected', connection, entropy }),
        frames: (connection, bytes, start, end) => runtime.input({ type: 'frames', connection, bytes, start, end }),
        disconnected: (connection) => runtime.input({ type: 'disconnected', connection }),
        drained: (connection) => runtime.input({ type: 'drained', connection }),
        fourLetterWord: (bytes) => {
          const word = fourLetterWordAt(bytes, 0);
          if (word === undefined) return null;
          const payload = bytes.subarray(4, 4 + TRACE_MASK_BYTES);
          const isAllowed = config.fourLetterWords.some((one) => one === '*' || one === word);
          if (isAllowed && word === 'stmk' && payload.length < TRACE_MASK_BYTES) return 'more';
          return { answer: answerFourLetterWord(word, facts.gather(), config.fourLetterWords, payload) };
        },
      },
      logger,
    );
  }

  private stop(listener: ClientListener, http: OpenHttp, runtime: Runtime, storage: Storage): Promise<void> {
    this.stopping ??= (async () => {
      await Promise.all([listener.close(), http.close()]);
      runtime.stop();
      await storage.close();
    })();
    return this.stopping;
  }
}

function damaged(error: Error, directory: string): StorageError {
  return new StorageError('DAMAGED', `The database in ${directory} is damaged: ${error.message}.`);
}

export function replicaOptions(config: ServerConfig): ReplicaOptions {
  return {
    serverId: config.serverId,
    tickTimeMs: config.tickTimeMs,
    minSessionTimeoutMs: config.minSessionTimeoutMs,
    maxSessionTimeoutMs: config.maxSessionTimeoutMs,
    // Both bound the requests under way, and above either a request waits.
    outstandingMax: Math.min(config.globalOutstandingLimit, config.requestThrottleLimit || Number.POSITIVE_INFINITY),
    enforceQuota: config.enforceQuota,
    skipAcl: config.skipACL,
    ttlNodes: config.extendedTypesEnabled,
    requiredSchemes: config.enforceAuthEnabled ? config.enforceAuthSchemes : null,
    containerCheckMs: config.containerCheckIntervalMs,
    containersPerMinute: config.containerMaxPerMinute,
    containerNeverUsedMs: config.containerMaxNeverUsedIntervalMs,
    checkpointEntries: config.snapCount,
    checkpointBytes:
      config.snapSizeLimitInKb > 0
        ? Math.min(config.snapSizeLimitInKb * 1024, CHECKPOINT_BYTES_MAX)
        : CHECKPOINT_BYTES_MAX,
    epochEntriesMax: limits.epochEntriesMax,
    authenticate: createAuthenticate({
      superDigest: config.superDigest ?? null,
      digestAlgorithm: config.digestAlg,
      digestEnabled: config.digestAuthEnabled,
    }),
    hashSeed: randomBytes(6).readUIntBE(0, 6),
  };
}

/** Servers that do not know of each other would each take writes of their own: worse than none at all. */
function refuseEnsemble({ servers, file }: ServerConfig): void {
  if (servers.length <= 1) return;
  throw new ConfigError({
    key: 'server.N',
    problem: `${file ?? 'the configuration'} names ${servers.length} servers, and ensembles are not built yet`,
    remedy: 'run one server, without server lines or with its own alone',
  });
}

/** From package.json, three folders above the compiled file. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** When this program was compiled, or unpacked where it was installed as a package. */
function builtAt(): Date {
  return statSync(new URL(import.meta.url)).mtime;
}
