/**
 * The two servers that are compared, each as one server or an ensemble of several on 127.0.0.1, with the same zoo.cfg.
 * ZooKeeper runs as its own start script would run it (-Xmx1000m, no other JVM flags), unlike in the suites that use it as
 * an oracle and want it to start quickly.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort, LOOPBACK } from '../helpers/ports.js';
import {
  fourLetterWord,
  LoggedProcess,
  removeDirectory,
  temporaryDirectory,
  waitFor,
  zooCfg,
} from '../helpers/processes.js';
import { whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import type { Address } from './load-connection.js';

export type SubjectName = 'zabra' | 'zookeeper';

const START_TIMEOUT_MS = 60_000;
const LAUNCHER = resolve('bin/zabra.js');
const JARS = '/usr/share/java/';
const CLASSPATH = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2'].map((jar) => `${JARS}${jar}.jar`).join(':');
const LOG4J = `log4j.rootLogger=WARN, CONSOLE
log4j.appender.CONSOLE=org.apache.log4j.ConsoleAppender
log4j.appender.CONSOLE.layout=org.apache.log4j.PatternLayout
log4j.appender.CONSOLE.layout.ConversionPattern=%d{ISO8601} %-5p %m%n
log4j.logger.org.apache.zookeeper.server.quorum.Learner=INFO
`;

/** What `srvr` calls a server; 'none' when it serves nobody, does not answer or is not there. */
export type Mode = 'standalone' | 'leader' | 'follower' | 'none';

/** One server of a subject. */
export class Member {
  /** null before it was launched and after it was killed. */
  private process: LoggedProcess | null = null;

  constructor(
    private readonly subjectName: SubjectName,
    readonly id: number,
    readonly address: Address,
    private readonly directory: string,
  ) {}

  get pid(): number | undefined {
    return this.process?.alive ? this.process.pid : undefined;
  }

  /** Starts the process and does not wait for anything. */
  launch(): void {
    const { command, args } = commandLine(this.subjectName, this.directory);
    this.process = LoggedProcess.start(command, args, this.logFile, this.directory);
  }

  /** SIGKILL; the data stays. */
  async kill(): Promise<void> {
    const { process } = this;
    this.process = null;
    await process?.end('SIGKILL');
  }

  /** Zxid and mode as `srvr` tells them. */
  async state(): Promise<{ readonly mode: Mode; readonly zxid: number }> {
    const answer = await fourLetterWord(this.address.port, 'srvr');
    const mode = /^Mode: (\w+)/m.exec(answer)?.[1] as Mode | undefined;
    return { mode: mode ?? 'none', zxid: Number(/^Zxid: (0x[0-9a-f]+)/m.exec(answer)?.[1] ?? 0) };
  }

  /** Checkpoints (ZooKeeper: snapshots) it has written since it was started; 0 when it does not say. */
  async checkpoints(): Promise<number> {
    const answer = await fourLetterWord(this.address.port, 'mntr');
    const figure = { zabra: 'zk_snap_count', zookeeper: 'zk_cnt_snapshottime' }[this.subjectName];
    return Number(new RegExp(`^${figure}\\s+(\\d+)`, 'm').exec(answer)?.[1] ?? 0);
  }

  /** All it has printed, since it was launched first. */
  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** @throws Error with the end of its log when it was launched and is not running any more */
  assertAlive(): void {
    const { process } = this;
    if (process === null || process.alive) return;
    throw new Error(`${this.subjectName} ended by itself\n${process.logTail()}`);
  }

  /** Resolves when it serves clients. */
  async serving(): Promise<void> {
    await waitFor(
      async () => {
        this.assertAlive();
        return (await this.state()).mode === 'none' ? undefined : true;
      },
      START_TIMEOUT_MS,
      () => `${this.subjectName} does not serve on port ${this.address.port}\n${this.process?.logTail() ?? ''}`,
    );
  }

  private get logFile(): string {
    return join(this.directory, 'server.log');
  }
}

export class Subject {
  private constructor(
    readonly name: SubjectName,
    private readonly directory: string,
    /** By rising number. */
    readonly members: readonly Member[],
  ) {}

  /** Why it cannot run on this machine; undefined when it can. */
  static whyNot(name: SubjectName): string | undefined {
    if (name === 'zookeeper') return whyNoZooKeeper();
    return existsSync(LAUNCHER) ? undefined : `${LAUNCHER} is missing: run from the project's root`;
  }

  /**
   * Resolves when every server serves.
   * @param settings zoo.cfg lines on top of the usual ones
   */
  static async start(
    name: SubjectName,
    servers: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Subject> {
    const directory = temporaryDirectory(`bench-${name}`);
    process.on('exit', () => removeDirectory(directory));
    const members: Member[] = [];
    const ensemble: Record<string, string> = {};
    for (let id = 1; id <= servers; id++) {
      if (servers > 1) ensemble[`server.${id}`] = `${LOOPBACK}:${await freePort()}:${await freePort()}`;
      const address = { host: LOOPBACK, port: await freePort() };
      members.push(new Member(name, id, address, join(directory, String(id))));
    }
    for (const { id, address } of members) {
      prepare(join(directory, String(id)), address, id, { ...ensemble, ...settings });
    }
    const subject = new Subject(name, directory, members);
    try {
      subject.launch();
      await subject.serving();
    } catch (error) {
      await subject.end();
      throw error;
    }
    return subject;
  }

  get addresses(): readonly Address[] {
    return this.members.map(({ address }) => address);
  }

  get pids(): readonly number[] {
    return this.members.flatMap(({ pid }) => pid ?? []);
  }

  /** The leader last: whoever takes one server only, or does not divide evenly, prefers followers in both subjects. */
  async followersFirst(): Promise<readonly Member[]> {
    const modes = await Promise.all(this.members.map((member) => member.state()));
    const leads = (member: Member) => Number(modes[this.members.indexOf(member)].mode === 'leader');
    return [...this.members].sort((a, b) => leads(a) - leads(b));
  }

  /** @throws Error when no server leads at the moment */
  async leader(): Promise<Member> {
    const last = (await this.followersFirst()).at(-1);
    if (last === undefined || (await last.state()).mode !== 'leader') throw new Error(`${this.name} has no leader`);
    return last;
  }

  /** SIGKILL; the data stays. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  /** Starts the processes and does not wait for anything. */
  launch(): void {
    for (const member of this.members) member.launch();
  }

  async end(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }

  /** @throws Error with the end of its log when a server is not running any more */
  assertAlive(): void {
    for (const member of this.members) member.assertAlive();
  }

  /** Resolves when every server serves clients. */
  async serving(): Promise<void> {
    for (const member of this.members) await member.serving();
  }
}

function prepare(directory: string, address: Address, id: number, settings: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(join(directory, 'data', 'myid'), `${id}\n`);
  writeFileSync(join(directory, 'log4j.properties'), LOG4J);
  writeFileSync(
    join(directory, 'zoo.cfg'),
    zooCfg({
      tickTime: '2000',
      initLimit: '10',
      syncLimit: '5',
      dataDir: join(directory, 'data'),
      clientPort: String(address.port),
      clientPortAddress: LOOPBACK,
      maxClientCnxns: '0',
      '4lw.commands.whitelist': '*',
      'admin.enableServer': 'false',
      ...settings,
    }),
  );
}

function commandLine(name: SubjectName, directory: string): { command: string; args: string[] } {
  const config = join(directory, 'zoo.cfg');
  if (name === 'zabra') return { command: process.execPath, args: [LAUNCHER, 'server', '--config', config] };
  return {
    command: '/usr/bin/java',
    args: [
      '-Xmx1000m',
      ...['-cp', CLASSPATH],
      '-Djava.awt.headless=true',
      '-Dzookeeper.jmx.log4j.disable=true',
      `-Dlog4j.configuration=file:${join(directory, 'log4j.properties')}`,
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      config,
    ],
  };
}
