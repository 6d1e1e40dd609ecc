// One life of a server in a process: opens the disk, rebuilds the state, opens the ports, and takes all of it down again
// in the opposite order. Usually there is one; another follows when the database had to be set aside (server.ts).

import { existsSync, statSync } from 'node:fs';
import { hex } from '../../protocol/ids.js';
import { decodeBatch } from '../../protocol/peer/codec.js';
import { Replica } from '../core/replica.js';
import { answerFourLetterWord, fourLetterWordAt, TRACE_MASK_BYTES, versionText } from './admin/four-letter-words.js';
import { finishReplacement } from './admin/snapshot/replacement.js';
import { openAuditLog } from './audit-log.js';
import type { ServerConfig } from './config/index.js';
import { EnsembleAuth } from './ensemble-auth.js';
import { FactGatherer } from './facts.js';
import type { Logger } from './logging.js';
import { startMemoryGuard } from './memory-guard.js';
import { ClientListener, type ClientTlsOptions } from './net/client-listener.js';
import type { PauseMonitor } from './pause-monitor.js';
import { openTlsSockets, PeerLinks, type PeerSockets, peerLinksOptions, plainSockets } from './peers/index.js';
import { replicaOptions } from './replica-options.js';
import { Runtime } from './runtime.js';
import { openSasl } from './sasl/index.js';
import { type Recovered, Storage, StorageError } from './storage/index.js';
import { openClientTls } from './tls/client-tls.js';
import { packageVersion } from './version.js';

/** How often a full disk is tried again, in ms. */
const PROBE_MS = 500;
const LISTEN_BACKLOG = 511;

/** How an incarnation ends by itself. */
export type Ending =
  /** It cannot go on; the server has to stop. */
  | { readonly kind: 'failed'; readonly error: Error }
  /** Its state is not that of the others: the next one has to begin with a copy of theirs. */
  | { readonly kind: 'diverged'; readonly reason: string };

export interface Ports {
  readonly plain: number | undefined;
  readonly secure: number | undefined;
}

export interface Running {
  readonly replica: Replica;
  readonly storage: Storage;
  readonly facts: FactGatherer;
}

/** What outlives an incarnation and shows in its facts. */
export interface Lasting {
  readonly pauses: PauseMonitor | null;
}

export class Incarnation {
  /** Resolves when it has ended by itself; never rejects. */
  readonly ended: Promise<Ending>;
  private readonly config: ServerConfig;
  private readonly logger: Logger;
  private readonly startedMs = Date.now();
  private stopping: Promise<void> | null = null;
  private end!: (ending: Ending) => void;
  /** What it is made of; undefined before it could be started. */
  running: Running | undefined;
  private readonly lasting: Lasting;
  /** What was opened, in this order; closed in the opposite one. */
  private readonly open: (() => Promise<void> | void)[] = [];

  constructor(config: ServerConfig, logger: Logger, lasting: Lasting) {
    this.config = config;
    this.logger = logger;
    this.lasting = lasting;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** Resolves when clients can connect: a server that is alone serves them then, another one once there is a leader. */
  async start(): Promise<Ports> {
    try {
      return await this.openAll();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private async openAll(): Promise<Ports> {
    const { config, logger } = this;
    const tls = openClientTls(config, logger);
    const sockets = this.openPeerSockets();
    const sasl = openSasl(config, logger);
    this.open.push(() => sasl?.close());
    const { storage, recovered } = await this.openStorage();
    this.open.push(() => storage.close());
    const audit = await openAuditLog(config, logger);
    this.open.push(() => audit?.close());
    const ensembleAuth = new EnsembleAuth(config.ensembleAuthNames);
    const options = replicaOptions(config, ensembleAuth);
    const replica = new Replica({ ...options, beginSasl: sasl?.begin, audit: audit !== null });
    await recover(replica, recovered, logger).catch((error) => {
      throw error instanceof StorageError ? error : damaged(error as Error, config.dataDir);
    });
    let serving!: () => void;
    const isServing = new Promise<void>((resolve) => {
      serving = resolve;
    });
    const runtime = new Runtime(replica, storage, logger, {
      onServing: () => serving(),
      onBroken: (error) => this.end({ kind: 'failed', error }),
      onDiverged: (reason) => this.end({ kind: 'diverged', reason }),
      audited: (record) => audit?.write(record),
    });
    this.open.push(() => runtime.stop());
    const memory = startMemoryGuard(
      config.memoryLimitInMb,
      (isScarce) => runtime.input({ type: 'memory', isScarce }),
      logger,
    );
    this.open.push(() => memory.stop());
    const version = versionText(packageVersion(), builtAt());
    const { startedMs } = this;
    const facts = new FactGatherer({
      config,
      replica,
      storage,
      version,
      startedMs,
      audit,
      ensembleAuth,
      ...this.lasting,
    });
    const listener = this.createListener(runtime, replica, facts, tls);
    this.open.push(() => listener.close());
    runtime.attach(listener);
    facts.attach(listener);
    this.connectStorage(storage, runtime, facts);
    if (config.replicated) await this.openLinks(runtime, sockets);
    this.running = { replica, storage, facts };
    runtime.run(() => replica.start(recovered));
    if (!config.replicated) {
      const ending = await Promise.race([isServing, this.ended]);
      if (ending !== undefined) throw ending.kind === 'failed' ? ending.error : new Error(ending.reason);
    }
    const ports = await listener.listen();
    audit?.writeServerEvent('serverStart', 'success');
    this.open.push(() => audit?.writeServerEvent('serverStop', 'invoked'));
    return ports;
  }

  private async openStorage(): Promise<{ storage: Storage; recovered: Recovered }> {
    const { config } = this;
    if (!config.dataDirAutocreate && !existsSync(config.dataDir)) {
      const message = `The directory ${config.dataDir} does not exist, and datadir.autocreate=false forbids to create it.`;
      throw new StorageError('ACCESS', message);
    }
    finishReplacement(config.dataDir);
    return await Storage.open({
      directory: config.dataDir,
      sync: config.forceSync,
      slowSyncWarnMs: config.fsyncWarningThresholdMs,
      busyInfo: { address: `${config.clientListen?.host ?? '*'}:${config.clientListen?.port ?? '-'}` },
    });
  }

  /** By which the links to other servers are made. */
  private openPeerSockets(): PeerSockets {
    const { config, logger } = this;
    if (!config.replicated || !config.sslQuorum) return plainSockets;
    const { sockets, close } = openTlsSockets(config, logger);
    this.open.push(close);
    return sockets;
  }

  /** The links to the other servers. */
  private async openLinks(runtime: Runtime, sockets: PeerSockets): Promise<void> {
    const links = new PeerLinks(
      peerLinksOptions(this.config, sockets),
      {
        connected: (peer) => runtime.input({ type: 'peerConnected', peer }),
        disconnected: (peer) => runtime.input({ type: 'peerDisconnected', peer }),
        message: (peer, message) => runtime.input({ type: 'peerMessage', peer, message }),
      },
      this.logger,
    );
    this.open.push(() => links.close());
    runtime.link(links);
    await links.listen();
  }

  private connectStorage(storage: Storage, runtime: Runtime, facts: FactGatherer): void {
    const { logger } = this;
    storage.onStored = (zxid) => runtime.input({ type: 'stored', zxid });
    storage.onCheckpointed = (zxid) => {
      facts.checkpointed();
      runtime.input({ type: 'checkpointed', zxid });
    };
    storage.onCheckpointFailed = (error, zxid) => {
      logger.error(`a checkpoint was given up: ${error.message}`, { remedy: error.remedy });
      runtime.input({ type: 'checkpointFailed', zxid });
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
              storage.resume();
              runtime.input({ type: 'storeResumed' });
            } else retry();
          },
          () => {}, // it has stopped for good, and onFatal says so; or it is being closed
        );
      };
      retry();
    };
    storage.onFatal = (error) => this.end({ kind: 'failed', error });
  }

  private createListener(
    runtime: Runtime,
    replica: Replica,
    facts: FactGatherer,
    tls: ClientTlsOptions | undefined,
  ): ClientListener {
    const { config, logger } = this;
    return new ClientListener(
      {
        plain: config.clientListen,
        tls,
        backlog: config.clientPortListenBacklog > 0 ? config.clientPortListenBacklog : LISTEN_BACKLOG,
        perAddressMax: config.maxClientCnxns,
        totalMax: config.maxCnxns,
        frameBytesMax: config.juteMaxBuffer,
        sessionlessTimeoutMs: config.sessionlessCnxnTimeoutMs,
        keepAlive: config.tcpKeepAlive,
        tornBytesMax: config.largeRequestMaxBytes,
        outputTotalBytesMax: config.outputLimitInMb * 1_048_576,
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
        tornRequestDropped: () => {
          replica.stats.tornRequestsDropped++;
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

  /** Hangs up on clients, finishes what is on its way to disk. Idempotent. */
  stop(): Promise<void> {
    this.stopping ??= (async () => {
      for (const close of this.open.reverse()) await close();
    })();
    return this.stopping;
  }
}

/** Checkpoint into the tree, then the log behind it. Throws an Error that says what is wrong with what was read. */
export async function recover(replica: Replica, recovered: Recovered, logger: Logger): Promise<void> {
  const startMs = performance.now();
  if (recovered.checkpoint !== null) {
    for await (const pages of recovered.pages()) for (const page of pages) replica.loadPage(page);
    replica.finishLoad(recovered.checkpoint.header);
  }
  let entries = 0;
  for await (const batches of recovered.batches()) {
    for (const { bytes } of batches) {
      const batch = decodeBatch(bytes);
      replica.recoverBatch(batch, bytes);
      entries += batch.operations.length;
    }
  }
  const { tree, sessions } = replica.world;
  logger.info(`loaded ${tree.nodeCount} nodes and ${sessions.size} sessions, up to zxid ${hex(replica.appliedZxid)}`, {
    checkpoint: hex(recovered.checkpoint?.zxid ?? 0),
    replayed: entries,
    ms: Math.round(performance.now() - startMs),
  });
}

function damaged(error: Error, directory: string): StorageError {
  return new StorageError('DAMAGED', `The database in ${directory} is damaged: ${error.message}.`);
}

/** When this program was compiled, or unpacked where it was installed as a package. */
function builtAt(): Date {
  return statSync(new URL(import.meta.url)).mtime;
}
