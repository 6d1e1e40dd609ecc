/** One server of a chaos run, Zabra's or ZooKeeper's: a process on its own host, with its own data. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { LoggedProcess, zooCfg } from '../helpers/processes.js';
import type { Disk } from './disk.js';
import type { Addresses, CommandLine, Network } from './network/network.js';

export type SubjectName = 'zabra' | 'zookeeper';

/** What `srvr` calls a server; 'none' when it serves nobody, does not answer or is not there. */
export type Mode = 'leader' | 'follower' | 'none';

const LAUNCHER = resolve('bin/zabra.js');
const JARS = '/usr/share/java/';
const CLASSPATH = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2'].map((jar) => `${JARS}${jar}.jar`).join(':');
const LOG4J = `log4j.rootLogger=INFO, CONSOLE
log4j.appender.CONSOLE=org.apache.log4j.ConsoleAppender
log4j.appender.CONSOLE.layout=org.apache.log4j.PatternLayout
log4j.appender.CONSOLE.layout.ConversionPattern=%d{ISO8601} %-5p %m%n
`;
const ASK_MS = 500;
const LOG_BYTES_MAX = 4 * 1024 * 1024;
/** Without it Zabra's servers do not take each other's word beyond loopback. */
const SECRET = 'chaos-chaos-chaos-chaos-chaos-chaos-chaos-00';

/** Debian's package faketime. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** Why no server's clock can be set; undefined when it can. */
export function whyNoClock(): string | undefined {
  return existsSync(FAKETIME) ? undefined : 'no clocks of their own: the package faketime is not installed';
}

export interface Place {
  readonly subject: SubjectName;
  readonly network: Network;
  /** For its configuration and its log. */
  readonly directory: string;
  /** Its data goes there, or into the directory when there is none. */
  readonly disk: Disk | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

export class Server {
  readonly dataDir: string;
  /** Whether it has a clock that can be set; counts from the next start on. */
  hasOwnClock = false;
  private process: LoggedProcess | undefined;
  private readonly listening: Addresses;

  constructor(
    readonly id: number,
    private readonly place: Place,
  ) {
    const { directory, disk, network } = place;
    this.listening = network.listening(id);
    this.dataDir = join(disk?.directory ?? directory, 'data');
    mkdirSync(directory, { recursive: true });
    mkdirSync(this.dataDir, { recursive: true });
    writeFileSync(join(this.dataDir, 'myid'), `${id}\n`);
    writeFileSync(join(directory, 'log4j.properties'), LOG4J);
    disk?.sync();
  }

  get disk(): Disk | undefined {
    return this.place.disk;
  }

  /** Where clients find it. */
  get address(): string {
    const { host, clientPort } = this.place.network.reaching(0, this.id);
    return `${host}:${clientPort}`;
  }

  get alive(): boolean {
    return this.process?.alive ?? false;
  }

  configure(ids: readonly number[]): void {
    const { network, directory, settings, subject } = this.place;
    const secretPath = join(directory, 'peer-secret');
    writeFileSync(secretPath, `${SECRET}\n`, { mode: 0o600 });
    const auth = subject === 'zabra' ? { 'quorum.auth.secretPath': secretPath } : {};
    const lines = ids.map((peer) => {
      const { host, quorumPort, electionPort } = network.reaching(this.id, peer);
      return [`server.${peer}`, `${host}:${quorumPort}:${electionPort}`];
    });
    const { host, clientPort } = this.listening;
    const own = { dataDir: this.dataDir, clientPort: String(clientPort), clientPortAddress: host };
    writeFileSync(join(directory, 'zoo.cfg'), zooCfg({ ...own, ...auth, ...settings, ...Object.fromEntries(lines) }));
  }

  /** Starts the process and waits for nothing. */
  start(): void {
    const { network, directory } = this.place;
    const { command, args } = network.on(this.id, this.withClock(this.commandLine()));
    appendFileSync(this.logFile, `=== started at ${new Date().toISOString()}\n`);
    this.process = LoggedProcess.start(command, args, this.logFile, directory);
  }

  /** Ends it and waits until it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.process?.end(signal);
  }

  pause(): void {
    this.process?.signal('SIGSTOP');
  }

  resume(): void {
    this.process?.signal('SIGCONT');
  }

  /** Sets its clock, if it has one of its own, this much ahead (or, below 0, behind). */
  setClock(aheadSeconds: number): void {
    writeFileSync(this.clockFile, `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}s\n`);
  }

  /** While it is not running: its data directory is empty, but for its number. */
  loseData(): void {
    for (const name of readdirSync(this.dataDir)) {
      if (name !== 'myid') rmSync(join(this.dataDir, name), { recursive: true });
    }
  }

  async mode(): Promise<Mode> {
    const mode = /^Mode: (\w+)/m.exec(await this.ask('srvr'))?.[1];
    return mode === 'leader' || mode === 'follower' ? mode : 'none';
  }

  /** Zxid and digest of Zabra's tree; '' when it serves nobody. */
  async hash(): Promise<string> {
    const answer = (await this.ask('hash')).trim();
    return /^[0-9a-f]+: \d+$/.test(answer) ? answer : '';
  }

  /** The end of what it has said, over all its starts: a server without its disk can say a great deal. */
  get log(): string {
    if (!existsSync(this.logFile)) return '';
    const { size } = statSync(this.logFile);
    const bytes = Buffer.alloc(Math.min(size, LOG_BYTES_MAX));
    const file = openSync(this.logFile, 'r');
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    closeSync(file);
    return bytes.toString();
  }

  private get logFile(): string {
    return join(this.place.directory, 'server.log');
  }

  private get clockFile(): string {
    return join(this.place.directory, 'clock');
  }

  /** The answer to a four-letter word; '' without one. */
  private ask(word: string): Promise<string> {
    const { host, clientPort } = this.place.network.reaching(0, this.id);
    return new Promise((settle) => {
      const parts: Buffer[] = [];
      const socket = connect(clientPort, host, () => socket.write(word));
      const done = () => {
        socket.destroy();
        settle(Buffer.concat(parts).toString('utf8'));
      };
      // Not the socket's own timer: it does not count while a connection is being made.
      const timer = setTimeout(done, ASK_MS);
      socket.on('data', (part) => parts.push(part));
      socket.on('error', done);
      socket.on('close', () => {
        clearTimeout(timer);
        done();
      });
    });
  }

  private commandLine(): CommandLine {
    const { subject, directory } = this.place;
    const config = join(directory, 'zoo.cfg');
    if (subject === 'zabra') return { command: process.execPath, args: [LAUNCHER, 'server', '--config', config] };
    return {
      command: '/usr/bin/java',
      args: [
        '-Xmx400m',
        ...['-cp', CLASSPATH],
        '-Djava.awt.headless=true',
        '-Dzookeeper.jmx.log4j.disable=true',
        `-Dlog4j.configuration=file:${join(directory, 'log4j.properties')}`,
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        config,
      ],
    };
  }

  private withClock({ command, args }: CommandLine): CommandLine {
    if (!this.hasOwnClock) return { command, args };
    this.setClock(0);
    const variables = [
      `LD_PRELOAD=${FAKETIME}`,
      `FAKETIME_TIMESTAMP_FILE=${this.clockFile}`,
      'FAKETIME_CACHE_DURATION=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ];
    return { command: 'env', args: [...variables, command, ...args] };
  }
}
