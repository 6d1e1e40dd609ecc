/**
 * A server process under full control of the test: its directory, its configuration, its process id, everything it
 * prints and how it ends. It can be started on data that was damaged, and may refuse to start.
 *
 * test/helpers/zabra-server.ts is for suites that only need a server that works.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort, LOOPBACK } from './ports.js';
import { removeDirectory, temporaryDirectory, waitFor, zooCfg } from './processes.js';

const LAUNCHER = resolve('bin/zabra.js');
const START_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerPlace {
  /** zoo.cfg lines on top of the defaults; '' leaves a key out. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the data goes, instead of a directory of its own. */
  readonly dataDir?: string;
  /** On top of this process's. */
  readonly env?: Readonly<Record<string, string>>;
}

export class ServerProcess {
  readonly directory = temporaryDirectory('zabra-robust');
  readonly configFile = join(this.directory, 'zoo.cfg');
  readonly dataDir: string;
  /** All that was printed since the last start, both streams. */
  output = '';
  private readonly env: ServerPlace['env'];
  private child: ChildProcess | undefined;
  private ended: Promise<Ending> = Promise.resolve({ code: null, signal: null });

  private constructor(
    readonly port: number,
    { settings, dataDir, env }: ServerPlace,
  ) {
    this.env = env;
    this.dataDir = dataDir ?? join(this.directory, 'data');
    mkdirSync(this.dataDir, { recursive: true });
    this.configure(settings);
  }

  /** A place for a server that is not started yet. */
  static async prepare(place: ServerPlace = {}): Promise<ServerProcess> {
    return new ServerProcess(await freePort(), place);
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = await ServerProcess.prepare({ settings });
    await server.start();
    return server;
  }

  /** Writes the configuration anew; it counts from the next start on. */
  configure(settings: Readonly<Record<string, string>> = {}): void {
    writeFileSync(
      this.configFile,
      zooCfg({
        tickTime: '1000',
        dataDir: this.dataDir,
        clientPort: String(this.port),
        clientPortAddress: LOOPBACK,
        maxClientCnxns: '0',
        '4lw.commands.whitelist': '*',
        'admin.enableServer': 'false',
        ...settings,
      }),
    );
  }

  /** Starts the process and waits for nothing. */
  launch(): void {
    this.output = '';
    const child = spawn(process.execPath, [LAUNCHER, 'server', '--config', this.configFile], {
      cwd: this.directory,
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    this.child = child;
    const print = (chunk: Buffer) => {
      this.output += chunk.toString('utf8');
    };
    child.stdout.on('data', print);
    child.stderr.on('data', print);
    this.ended = new Promise((settle) => {
      child.once('close', (code, signal) => {
        running.delete(child);
        settle({ code, signal });
      });
    });
  }

  /** Starts the process and resolves when it serves clients; rejects with what it printed when it ends instead. */
  async start(): Promise<void> {
    this.launch();
    await waitFor(
      () => {
        if (!this.alive) throw new Error(`the server ended instead of serving:\n${this.output}`);
        return this.output.includes('serving clients on') ? true : undefined;
      },
      START_MS,
      () => `the server does not serve:\n${this.output}`,
    );
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get alive(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** How the process ended, once it has. */
  get ending(): Promise<Ending> {
    return this.ended;
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  async end(name: NodeJS.Signals): Promise<Ending> {
    this.signal(name);
    return this.ended;
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Records of the log, parsed; lines that are none are left out. */
  get records(): { level: string; message: string; [field: string]: unknown }[] {
    return this.output.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.alive) {
      this.signal('SIGKILL');
      await this.ended;
    }
    removeDirectory(this.directory);
  }
}
