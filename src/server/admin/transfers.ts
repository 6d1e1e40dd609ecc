// The two admin commands that move a whole database (reference B8): GET snapshot gives it out, POST restore takes one in
// and replaces the server's own. Both ask who is there (credentials.ts), and neither can be had more often than
// admin.rateLimiterIntervalInMS allows.
//
// A snapshot goes to a file first, and from there to whoever asked: its size stands in the headers, and a reader as slow
// as it likes holds up nothing but itself. The file has no name any more when it is sent, so none is left behind.

import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Acl } from '../../../protocol/client/records.js';
import { hex } from '../../../protocol/ids.js';
import type { Authenticate } from '../../core/io.js';
import type { ServerConfig } from '../config/index.js';
import type { Logger } from '../logging.js';
import { StorageError } from '../storage/index.js';
import { refusalOf } from './credentials.js';
import { upTo } from './snapshot/committed.js';
import { SnapshotError, type SnapshotSource } from './snapshot/format.js';
import { snapshotChunks } from './snapshot/writer.js';

/** What the commands need of their server. */
export interface TransferHost {
  readonly authenticate: Authenticate;
  /** Clients are served. */
  isServing(): boolean;
  /** Of the node `/`. */
  rootAcl(): readonly Acl[];
  /** Everything up to here is committed: what a member has beyond is no part of a snapshot. */
  committedZxid(): number;
  openSnapshot(): Promise<SnapshotSource>;
  /** About how large a snapshot will be at most. */
  databaseBytes(): number;
  /** Replaces the database (snapshot/restore.ts). Null for a member of an ensemble, which must not differ from others. */
  readonly restore: ((stream: AsyncIterable<Uint8Array>) => Promise<{ lastZxid: number; setAside: string }>) | null;
}

type Json = Readonly<Record<string, unknown>>;

/** Names and aliases, for the list of commands. */
export const TRANSFER_COMMANDS = [
  { name: 'snapshot', aliases: ['snap'] },
  { name: 'restore', aliases: ['rest'] },
] as const;

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const SPOOL_FILE = 'zabra.snapshot';
/** Of the disk, so much stays free for the server itself. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** A refusal is logged at most so often: anybody may knock. */
const REFUSAL_LOG_MS = 1000;

/** An answer other than success. */
class Refused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, headers: Readonly<Record<string, string>> = {}) {
    super(error);
    this.status = status;
    this.headers = headers;
  }
}

export class Transfers {
  private readonly config: ServerConfig;
  private readonly host: TransferHost;
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly lastRunMs = { snapshot: Number.NEGATIVE_INFINITY, restore: Number.NEGATIVE_INFINITY };
  private running: 'snapshot' | 'restore' | null = null;
  private lastRefusalMs = Number.NEGATIVE_INFINITY;

  /** `now`: a monotonic clock in ms. */
  constructor(config: ServerConfig, host: TransferHost, logger: Logger, now: () => number = () => performance.now()) {
    this.config = config;
    this.host = host;
    this.logger = logger;
    this.now = now;
  }

  /** Answers a request for one of the two commands by its name or alias; false for any other name. Never throws. */
  handle(command: string, request: IncomingMessage, response: ServerResponse): boolean {
    const known = TRANSFER_COMMANDS.find(({ name, aliases }) => name === command || aliases.some((a) => a === command));
    if (known === undefined) return false;
    const { name } = known;
    const work = name === 'snapshot' ? this.snapshot(request, response) : this.restore(request, response);
    work.catch((error: Error) => this.failed(name, error, response));
    return true;
  }

  private async snapshot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { config, logger } = this;
    this.admit('snapshot', 'GET', config.adminSnapshotEnabled, request);
    const isStreaming = queryOf(request).get('streaming')?.toLowerCase() !== 'false';
    this.begin('snapshot');
    let taken: { readonly zxid: number; readonly bytes: number };
    let file: string | FileHandle = join(config.dataDir, SPOOL_FILE);
    request.socket.setTimeout(0); // silence is not its fault now
    try {
      await this.checkSpace();
      taken = await this.spool(file);
      file = isStreaming ? await withoutName(file) : await named(file, config.dataDir, taken.zxid);
    } finally {
      this.running = null;
      request.socket.setTimeout(config.adminIdleTimeoutMs);
    }
    const { zxid, bytes } = taken;
    logger.info('a snapshot was taken', { lastZxid: hex(zxid), bytes });
    const headers = { last_zxid: hex(zxid), snapshot_size: String(bytes) };
    if (typeof file !== 'string') await send(file, bytes, zxid, headers, response);
    else {
      const fields = { last_zxid: hex(zxid), snapshot_size: bytes, file };
      answer(response, 200, { command: 'snapshot', error: null, ...fields }, headers);
    }
  }

  /** Filling the disk to the brim would stop the server's own writes. */
  private async checkSpace(): Promise<void> {
    const { bavail, bsize } = await statfs(this.config.dataDir);
    const needed = this.host.databaseBytes() + SPARE_BYTES;
    if (bavail * bsize < needed) {
      throw new Refused(507, `the disk has ${bavail * bsize} bytes left, and a snapshot may need ${needed}`);
    }
  }

  private async spool(file: string): Promise<{ zxid: number; bytes: number }> {
    const { host } = this;
    const opened = await host.openSnapshot();
    const source = upTo(host.committedZxid(), opened);
    try {
      // Opened before anything can fail: a stream that opens it by itself may do so after the removal below.
      const stream = (await open(file, 'w', 0o600)).createWriteStream();
      await pipeline(snapshotChunks(source), stream);
      return { zxid: source.zxid, bytes: stream.bytesWritten };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await opened.close();
    }
  }

  private async restore(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.admit('restore', 'POST', this.config.adminRestoreEnabled, request);
    const { restore } = this.host;
    if (restore === null) {
      const reason = 'one replica must not differ from the others';
      throw new Refused(
        409,
        `this server is a member of an ensemble, and ${reason}: restore is for a server on its own`,
      );
    }
    this.begin('restore');
    try {
      if (request.headers.expect !== undefined) response.writeContinue();
      request.once('end', () => request.socket.setTimeout(0)); // from here on the client waits for us
      const chunks: AsyncIterator<Uint8Array> = request[Symbol.asyncIterator]();
      // Without `return`: whoever stops reading must not hang up on the client, which is to hear why.
      const body = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
      const { lastZxid, setAside } = await restore(body).catch(async (error) => {
        await readToEnd(chunks);
        throw error;
      });
      answer(response, 200, { command: 'restore', error: null, last_zxid: hex(lastZxid), replaced: setAside });
    } finally {
      this.running = null;
    }
  }

  /** Throws Refused. */
  private admit(name: 'snapshot' | 'restore', method: string, isEnabled: boolean, request: IncomingMessage): void {
    const { host } = this;
    if (request.method !== method) throw new Refused(405, `${name} is asked for with ${method}`, { allow: method });
    const refusal = refusalOf(request.headers.authorization, host.authenticate, host.rootAcl());
    if (refusal !== null) {
      const challenge = refusal.status === 401 ? { 'www-authenticate': 'digest' } : {};
      throw new Refused(refusal.status, refusal.error, challenge);
    }
    if (!isEnabled) throw new Refused(503, `${name} is switched off by admin.${name}.enabled`);
    if (!host.isServing()) throw new Refused(503, NOT_SERVING);
  }

  /** Throws Refused when another one is under way, or was a short time ago. */
  private begin(name: 'snapshot' | 'restore'): void {
    const { running, lastRunMs, config } = this;
    if (running !== null) throw new Refused(429, `a ${running} is under way`, { 'retry-after': '10' });
    const waitMs = lastRunMs[name] + config.adminRateLimiterIntervalMs - this.now();
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      const error = `the last ${name} was a short time ago (admin.rateLimiterIntervalInMS); try again in ${seconds} s`;
      throw new Refused(429, error, { 'retry-after': String(seconds) });
    }
    this.running = name;
    lastRunMs[name] = this.now();
  }

  private failed(command: string, error: Error, response: ServerResponse): void {
    const { logger } = this;
    if (error instanceof Refused) {
      if (this.now() - this.lastRefusalMs >= REFUSAL_LOG_MS) {
        this.lastRefusalMs = this.now();
        logger.warn(`the admin command ${command} was refused: ${error.message}`, { status: error.status });
      }
    } else logger.error(`the admin command ${command} failed: ${error.message}`, { error });
    if (response.headersSent) response.destroy();
    else
      answer(
        response,
        statusOf(error),
        { command, error: error.message },
        error instanceof Refused ? error.headers : {},
      );
  }
}

/** While it is sending, a client does not listen. */
async function readToEnd(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // It has gone.
  }
}

function statusOf(error: Error): number {
  if (error instanceof Refused) return error.status;
  if (error instanceof SnapshotError) return 400;
  return error instanceof StorageError && error.code === 'FULL' ? 507 : 500;
}

/** The open file, whose name is gone already. */
async function withoutName(file: string): Promise<FileHandle> {
  const handle = await open(file, 'r');
  await rm(file);
  return handle;
}

/** Under the name a snapshot of ZooKeeper would have. */
async function named(file: string, directory: string, zxid: number): Promise<string> {
  const kept = join(directory, `snapshot.${zxid.toString(16)}`);
  await rename(file, kept);
  return kept;
}

async function send(
  handle: FileHandle,
  bytes: number,
  zxid: number,
  headers: Readonly<Record<string, string>>,
  response: ServerResponse,
): Promise<void> {
  try {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes,
      'content-disposition': `attachment; filename="snapshot.${zxid.toString(16)}"`,
      'cache-control': 'no-store',
      ...headers,
    });
    await pipeline(handle.createReadStream({ autoClose: false }), response);
  } finally {
    await handle.close();
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = `${JSON.stringify(body, undefined, 2)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // Of a body that was refused the rest may still come.
    ...(status === 200 ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(text);
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
}
