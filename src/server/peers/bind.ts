// Opening the port for peers. A server that is restarted may find its port still held by its predecessor, so a port in use
// is tried again for a while (electionPortBindRetry).

import type { Server } from 'node:net';
import type { Logger } from '../logging.js';
import { hostPort } from './sockets.js';

export interface BindOptions {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
  /** 0: for ever. */
  readonly triesMax: number;
  readonly pauseMs: number;
}

/** Resolves when the port is open. Rejects with the system's error, or when the signal aborts. */
export async function bind(server: Server, options: BindOptions, logger: Logger, signal: AbortSignal): Promise<void> {
  const { host, port, triesMax, pauseMs } = options;
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    const error = await tryToListen(server, host, port);
    if (error === null) {
      // Closing cannot reach a server that is about to open its port.
      if (signal.aborted) server.close();
      signal.throwIfAborted();
      return;
    }
    if (error.code !== 'EADDRINUSE' || tries === triesMax) throw error;
    const left = triesMax === 0 ? '' : `, ${triesMax - tries} more times`;
    logger.warn(`the port for other servers, ${hostPort(host ?? '*', port)}, is in use; trying again${left}`);
    await pause(pauseMs, signal);
  }
}

function tryToListen(server: Server, host: string | undefined, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const done = (error: NodeJS.ErrnoException | null): void => {
      server.off('error', done);
      server.off('listening', opened);
      server.off('close', opened);
      resolve(error);
    };
    const opened = (): void => done(null);
    server.once('error', done);
    server.once('listening', opened);
    // Closed before it was open: the caller finds the signal aborted.
    server.once('close', opened);
    server.listen(host === undefined ? { port } : { host, port });
  });
}

/** Ends early when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
