// The audit log: who changed what, a line of JSON each, in a file that is only ever appended to. Its fields are those of
// ZooKeeper's audit log.
//
//   write(record) ─ queue, bounded ─▶ one append at a time ─▶ audit.log ─ when it is large ─▶ audit.log.1, .2, …
//
// Nobody waits for it: a record is queued, and whatever has been queued while one append was running is the next one. A
// disk that is full or too slow for it makes the queue grow; when that is full, records are dropped. That is said in the
// server's log once, counted, and left as a line of its own in the file where they are missing: whoever reads it later
// sees that something is not there.

import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { hex } from '../../protocol/ids.js';
import type { AuditRecord } from '../core/pipeline/audit.js';
import { ConfigError, type ServerConfig } from './config/index.js';
import type { Logger } from './logging.js';

export interface AuditLogOptions {
  readonly file: string;
  /** Size in bytes above which the file is set aside and a new one begun. */
  readonly fileBytesMax: number;
  /** How many of those set aside are kept, as `<file>.1` (the newest), `<file>.2`, … */
  readonly filesKept: number;
  readonly logger: Logger;
  /** Bytes that wait for the disk beyond which records are dropped. Default 16 MiB. */
  readonly queueBytesMax?: number;
  /** The time of what the server does itself; the system's clock by default. */
  readonly now?: () => Date;
}

const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
const APPEND_BYTES_MAX = 1024 * 1024;
/** How long a file that cannot be written is left alone. */
const RETRY_MS = 1000;
/** How long the end of the server waits for a disk that does not answer. */
const CLOSE_MS = 3000;
const NEWLINE = 0x0a;

/** As the configuration asks for it; null when it does not. Throws ConfigError; dataDir must exist. */
export async function openAuditLog(config: ServerConfig, logger: Logger): Promise<AuditLog | null> {
  if (!config.auditEnable) return null;
  return AuditLog.open({
    file: config.auditFile ?? join(config.dataDir, 'audit.log'),
    fileBytesMax: config.auditFileSizeInMb * 1024 * 1024,
    filesKept: config.auditFilesKept,
    logger,
  });
}

interface Line {
  readonly text: string;
  readonly bytes: number;
}

export class AuditLog {
  /** Records that are in the file, and those that were dropped. */
  written = 0;
  dropped = 0;
  private readonly options: AuditLogOptions;
  private readonly queueBytesMax: number;
  private readonly now: () => Date;
  private readonly owner = ownerName();
  private queue: Line[] = [];
  private queueBytes = 0;
  /** Of those dropped, how many the file does not say anything about yet. */
  private untold = 0;
  private handle: FileHandle | null;
  private fileBytes: number;
  private running: Promise<void> | null = null;
  private retry: NodeJS.Timeout | null = null;
  private isFailing = false;
  /** The last attempt to set the file aside has failed. */
  private isGrowing = false;
  private isClosed = false;

  private constructor(options: AuditLogOptions, handle: FileHandle, fileBytes: number) {
    this.options = options;
    this.queueBytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX;
    this.now = options.now ?? (() => new Date());
    this.handle = handle;
    this.fileBytes = fileBytes;
  }

  /** Throws ConfigError when the file cannot be written: better at the start than after the first change. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    try {
      const { handle, bytes } = await openForAppend(options.file);
      return new AuditLog(options, handle, bytes);
    } catch (error) {
      throw new ConfigError({
        key: 'audit.file',
        problem: `${options.file} cannot be written: ${(error as Error).message}`,
        remedy: 'name a file in a folder that exists and is writable, or set audit.enable=false',
      });
    }
  }

  /** Queues an executed operation; returns at once. */
  write(record: AuditRecord): void {
    const { timeMs, zxid, session, user, ip, operation, znode, znodeType, acl, error } = record;
    this.push({
      time: new Date(timeMs).toISOString(),
      session: session === 0 ? undefined : hex(session),
      user: user ?? this.owner,
      ip: ip ?? undefined,
      operation,
      znode,
      znode_type: znodeType,
      acl,
      result: error === undefined ? 'success' : 'failure',
      error,
      zxid: hex(zxid),
    });
  }

  /** Queues what the server itself does. ZooKeeper gives a stop the result `invoked`, as its end is not seen. */
  writeServerEvent(operation: 'serverStart' | 'serverStop', result: 'success' | 'failure' | 'invoked'): void {
    this.push({ time: this.now().toISOString(), user: this.owner, operation, result });
  }

  /** Writes what is queued and lets go of the file. A disk that does not take it within 3 s is not waited for. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    const finished = (async () => {
      await this.running;
      await this.run();
      await this.handle?.sync().catch((error) => this.failed(error));
      await this.handle?.close();
    })();
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
    const left = this.queue.length;
    if (left === 0) return;
    this.dropped += left;
    this.options.logger.error(`the audit log ends without its last ${left} records: they could not be written`);
  }

  private push(fields: Readonly<Record<string, unknown>>): void {
    if (this.isClosed) return;
    const text = `${JSON.stringify(fields)}\n`;
    const bytes = Buffer.byteLength(text);
    if (this.queueBytes + bytes > this.queueBytesMax) {
      this.drop();
      return;
    }
    this.queue.push({ text, bytes });
    this.queueBytes += bytes;
    this.start();
  }

  private start(): void {
    if (this.running !== null || this.retry !== null) return;
    this.running = this.run().finally(() => {
      this.running = null;
    });
  }

  private drop(): void {
    this.dropped++;
    if (this.untold++ > 0) return;
    const reason = this.isFailing ? 'its file cannot be written' : 'the disk is too slow for it';
    this.options.logger.error(`the audit log drops records: ${reason}`, { file: this.options.file });
  }

  /** Writes until nothing is queued, or the disk refuses: then again in a while. Never rejects. */
  private async run(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        if (this.fileBytes >= this.options.fileBytesMax) await this.rotate();
        await this.append();
      }
      if (this.untold > 0) await this.admit();
    } catch (error) {
      this.failed(error);
    }
  }

  private async append(): Promise<void> {
    let count = 0;
    let bytes = 0;
    while (count < this.queue.length && bytes < APPEND_BYTES_MAX) bytes += this.queue[count++].bytes;
    const lines = this.queue.slice(0, count);
    await this.writeAll(lines.map(({ text }) => text).join(''));
    this.queue.splice(0, count);
    this.queueBytes -= bytes;
    this.written += count;
    if (this.isFailing) {
      this.isFailing = false;
      this.options.logger.info('the audit log is written again', { file: this.options.file });
    }
  }

  /** Says in the file itself that records are missing before this point. */
  private async admit(): Promise<void> {
    const { untold, owner, options } = this;
    const fields = { time: this.now().toISOString(), user: owner, operation: 'recordsDropped', dropped: untold };
    await this.writeAll(`${JSON.stringify({ ...fields, result: 'failure' })}\n`);
    this.untold -= untold;
    options.logger.warn(`${untold} records are missing in the audit log`, { file: options.file });
  }

  private async writeAll(text: string): Promise<void> {
    const handle = this.handle ?? (await this.reopen());
    try {
      await handle.appendFile(text);
    } catch (error) {
      // Half a line would make the next one unreadable too.
      await handle.truncate(this.fileBytes).catch(() => {});
      throw error;
    }
    this.fileBytes += Buffer.byteLength(text);
  }

  private async reopen(): Promise<FileHandle> {
    const { handle, bytes } = await openForAppend(this.options.file);
    this.handle = handle;
    this.fileBytes = bytes;
    return handle;
  }

  /** Sets the full file aside. One that cannot be moved is written on, and tried again with the next append. */
  private async rotate(): Promise<void> {
    const { file, filesKept, logger } = this.options;
    try {
      if (filesKept === 0) await this.handle?.truncate(0);
      for (let number = filesKept; number > 0; number--) {
        const from = number === 1 ? file : `${file}.${number - 1}`;
        if (await exists(from)) await rename(from, `${file}.${number}`);
      }
    } catch (error) {
      if (!this.isGrowing) logger.warn('the audit log cannot be rotated and grows on', { file, error });
      this.isGrowing = true;
      return;
    }
    this.isGrowing = false;
    await this.handle?.close();
    this.handle = null;
    await this.reopen();
  }

  private failed(error: unknown): void {
    const { logger, file } = this.options;
    if (!this.isFailing) {
      this.isFailing = true;
      const { message } = error as Error;
      logger.error(`the audit log cannot be written: ${message}; its records wait in memory`, { file });
    }
    void this.handle?.close().catch(() => {});
    this.handle = null; // opened anew: the folder may have been replaced meanwhile
    if (this.isClosed) return;
    this.retry = setTimeout(() => {
      this.retry = null;
      this.start();
    }, RETRY_MS).unref();
  }
}

/** A line that was cut off by a crash is ended, so that the next one can be read. */
async function openForAppend(file: string): Promise<{ handle: FileHandle; bytes: number }> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    if (size === 0) return { handle, bytes: 0 };
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] === NEWLINE) return { handle, bytes: size };
    await handle.appendFile('\n');
    return { handle, bytes: size + 1 };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Who runs the server; a user id without a name is common in containers. */
function ownerName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '?');
  }
}
