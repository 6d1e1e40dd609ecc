/**
 * The two servers that are compared, each as one server or an ensemble of several on 127.0.0.1, with the same zoo.cfg.
 * ZooKeeper runs as its own start script would run it (-Xmx1000m, no other JVM flags), unlike in the suites that use it as
 * an oracle and want it to start quickly.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
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
`;

interface Member {
  readonly directory: string;
  readonly address: Address;
  process: LoggedProcess | null;
}

export class Subject {
  private constructor(
    readonly name: SubjectName,
    private readonly directory: string,
    private readonly members: readonly Member[],
  ) {}

  /** Why it cannot run on this machine; undefined when it can. */
  static whyNot(name: SubjectName): string | undefined {
    if (name === 'zookeeper') return whyNoZooKeeper();
    return existsSync(LAUNCHER) ? undefined : `${LAUNCHER} is missing: run from the project's root`;
  }

  /** Resolves when every server serves. */
  static async start(name: SubjectName, servers: number): Promise<Subject> {
    const directory = temporaryDirectory(`bench-${name}`);
    process.on('exit', () => removeDirectory(directory));
    const members: Member[] = [];
    const ensemble: Record<string, string> = {};
    for (let id = 1; id <= servers; id++) {
      if (servers > 1) ensemble[`server.${id}`] = `${LOOPBACK}:${await freePort()}:${await freePort()}`;
      members.push({
        directory: join(directory, String(id)),
        address: { host: LOOPBACK, port: await freePort() },
        process: null,
      });
    }
    members.forEach((member, i) => {
      prepare(member, i + 1, ensemble);
    });
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
    return this.members.flatMap(({ process }) => (process?.alive ? [process.pid] : []));
  }

  /** SIGKILL; the data stays. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process?.end('SIGKILL')));
  }

  /** Starts the processes and does not wait for anything. */
  launch(): void {
    for (const member of this.members) {
      const { command, args } = commandLine(this.name, member.directory);
      member.process = LoggedProcess.start(command, args, join(member.directory, 'server.log'), member.directory);
    }
  }

  async end(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }

  /** @throws Error with the end of its log when a server is not running any more */
  assertAlive(): void {
    for (const { process } of this.members) {
      if (!process?.alive) throw new Error(`${this.name} ended by itself\n${process?.logTail() ?? ''}`);
    }
  }

  private async serving(): Promise<void> {
    for (const { address, process } of this.members) {
      await waitFor(
        async () => {
          this.assertAlive();
          return /^Mode: /m.test(await fourLetterWord(address.port, 'srvr')) ? true : undefined;
        },
        START_TIMEOUT_MS,
        () => `${this.name} does not serve on port ${address.port}\n${process?.logTail() ?? ''}`,
      );
    }
  }
}

function prepare({ directory, address }: Member, id: number, ensemble: Readonly<Record<string, string>>): void {
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
      ...ensemble,
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
