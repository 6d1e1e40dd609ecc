// A real server in the process of a test: on a free port of the loopback interface, with its data in a temporary
// directory, so that the code under test can connect to it as it does in production.
//
//   await using server = await startTestServer();
//   const client = await connect(server.connectString);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger, loadConfig, type RunningServer, startServer } from '../server/index.js';

export interface TestServerOptions {
  /** Any option of zoo.cfg by its name there, e.g. `{ tickTime: '200', superDigest: '…' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Keep the data here, and leave it there at the end. Default: a new temporary directory, removed by `stop`. */
  readonly directory?: string;
  /** Where the server's log goes. Default: nowhere. */
  readonly log?: Writable;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly connectString: string;
  /** Hangs up on all clients and starts again with the same data on the same port: what a restart looks like. */
  restart(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Starts a server and resolves when it takes clients. Sessions are short (tickTime 200 ms) and every option of zoo.cfg
 * can be set. Throws what the server throws: ConfigError, StorageError, the system's errors.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'zabra-test-')));
  const logger = createLogger({
    level: 'info',
    format: 'json',
    stream: options.log ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    isTerminal: false,
  });
  const start = (port: number): Promise<RunningServer> => {
    const flags = {
      tickTime: '200',
      dataDir: directory,
      clientPortAddress: HOST,
      'admin.enableServer': 'false', // many servers run at once, and its port would be the same for all
      ...options.config,
      clientPort: String(port),
    };
    return startServer(loadConfig({ flags, env: {} }).config, logger);
  };
  const removeData = async () => {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };

  let server: RunningServer;
  try {
    server = await start(Number(options.config?.clientPort ?? 0));
  } catch (error) {
    await removeData();
    throw error;
  }
  const { port } = server;
  const stop = async () => {
    await server.stop();
    await removeData();
  };
  return {
    port,
    connectString: `${HOST}:${port}`,
    async restart() {
      await server.stop();
      server = await start(port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
