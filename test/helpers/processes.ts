/**
 * Child processes of tests: started, watched, ended by their own process id, and never left behind. What a child
 * prints goes to a log file, whose end becomes part of every error message about it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK } from './ports.js';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A new empty directory; the caller removes it with removeDirectory. */
export function temporaryDirectory(prefix: string): string {
  return mkdtempSync(join(tmpdir(), `${prefix}-`));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Asks again and again until the answer is not undefined; fails with `describe()` when the time is over. */
export async function waitFor<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
  describe: () => string,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${describe()} (waited ${timeoutMs} ms)`);
    await sleep(25);
  }
}

/** Sends a four-letter word and returns all that the server says before it closes; '' when nobody listens. */
export function fourLetterWord(port: number, word: string, timeoutMs = 2000): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(port, LOOPBACK, () => socket.write(word));
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(parts).toString('utf8'));
    };
    socket.setTimeout(timeoutMs, done);
    socket.on('data', (part) => parts.push(part));
    socket.on('error', done);
    socket.on('close', done);
  });
}

/** One child process with its output in a log file. */
export class LoggedProcess {
  readonly pid: number;
  private readonly exited: Promise<void>;
  private over = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {
    this.pid = child.pid ?? 0;
    running.add(child);
    this.exited = new Promise((resolve) => {
      const end = () => {
        this.over = true;
        running.delete(child);
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
  }

  static start(command: string, args: readonly string[], logFile: string, cwd: string): LoggedProcess {
    const log = openSync(logFile, 'a');
    const child = spawn(command, args, { cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    return new LoggedProcess(child, logFile);
  }

  get alive(): boolean {
    return !this.over;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.over) this.child.kill(name);
  }

  /** Sends the signal and waits until the process is gone; one that ignores it for `timeoutMs` is killed. */
  async end(name: NodeJS.Signals, timeoutMs = 15_000): Promise<void> {
    if (this.over) return;
    this.child.kill(name);
    this.child.kill('SIGCONT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  logTail(lines = 25): string {
    if (!existsSync(this.logFile)) return '';
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n');
  }
}

/** A server that a suite can talk to and mistreat, whichever implementation it is. */
export interface ServerUnderTest {
  readonly name: 'zookeeper' | 'zabra';
  readonly port: number;
  /** host:port */
  readonly address: string;
  /** False when it was ended, or has ended by itself. */
  readonly alive: boolean;
  /** SIGKILL; the data stays. */
  kill9(): Promise<void>;
  /** SIGTERM; the data stays. */
  stop(): Promise<void>;
  /** Starts again on the same port and data after kill9 or stop. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  log(): string;
  /** Ends the server and removes its directory. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ServerCommand {
  readonly name: ServerUnderTest['name'];
  readonly directory: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly startTimeoutMs: number;
}

/** Runs a server command and returns when the server answers `srvr` with its mode. */
export async function runServer(spec: ServerCommand): Promise<ServerUnderTest> {
  const logFile = join(spec.directory, 'server.log');
  const launch = async (): Promise<LoggedProcess> => {
    const child = LoggedProcess.start(spec.command, spec.args, logFile, spec.directory);
    try {
      await waitFor(
        async () => {
          if (!child.alive) throw new Error(`${spec.name} exited by itself\n${child.logTail()}`);
          return /^Mode: /m.test(await fourLetterWord(spec.port, 'srvr')) ? true : undefined;
        },
        spec.startTimeoutMs,
        () => `${spec.name} does not serve on port ${spec.port}\n${child.logTail()}`,
      );
    } catch (error) {
      await child.end('SIGKILL');
      throw error;
    }
    return child;
  };

  let child = await launch();
  return {
    name: spec.name,
    port: spec.port,
    address: `${LOOPBACK}:${spec.port}`,
    get alive() {
      return child.alive;
    },
    kill9: () => child.end('SIGKILL'),
    stop: () => child.end('SIGTERM'),
    restart: async () => {
      child = await launch();
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    log: () => child.logTail(),
    [Symbol.asyncDispose]: async () => {
      await child.end('SIGKILL');
      removeDirectory(spec.directory);
    },
  };
}

/** zoo.cfg text; a key with an empty value is left out. */
export function zooCfg(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
