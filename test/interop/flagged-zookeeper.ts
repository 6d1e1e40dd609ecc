/**
 * Real ZooKeeper as one server of several, or with flags for Java that no line of zoo.cfg stands for. Where neither is
 * needed, test/helpers/real-zookeeper.ts is simpler.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOOPBACK } from '../helpers/ports.js';
import { runServer, type ServerUnderTest, temporaryDirectory, zooCfg } from '../helpers/processes.js';

const JARS = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2', 'netty-codec'];

export interface FlaggedOptions {
  readonly port: number;
  /** System properties, as `readonlymode.enabled`. */
  readonly flags: Readonly<Record<string, string>>;
  /** zoo.cfg lines on top of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly myid?: number;
  /** Contents of files beside zoo.cfg; `%` in a flag stands for their directory. */
  readonly files?: Readonly<Record<string, string>>;
}

export function startFlaggedZooKeeper({
  port,
  flags,
  settings,
  myid,
  files,
}: FlaggedOptions): Promise<ServerUnderTest> {
  const directory = temporaryDirectory('zookeeper');
  const data = join(directory, 'data');
  mkdirSync(data);
  if (myid !== undefined) writeFileSync(join(data, 'myid'), String(myid));
  for (const [name, content] of Object.entries(files ?? {})) writeFileSync(join(directory, name), content);
  const lines = {
    tickTime: '1000',
    initLimit: '10',
    syncLimit: '5',
    dataDir: data,
    clientPort: String(port),
    clientPortAddress: LOOPBACK,
    '4lw.commands.whitelist': '*',
    'admin.enableServer': 'false',
    ...settings,
  };
  writeFileSync(join(directory, 'zoo.cfg'), zooCfg(lines));
  return runServer({
    name: 'zookeeper',
    directory,
    port,
    command: '/usr/bin/java',
    args: [
      '-Xmx300m',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      JARS.map((jar) => `/usr/share/java/${jar}.jar`).join(':'),
      '-Djava.awt.headless=true',
      '-Dzookeeper.jmx.log4j.disable=true',
      ...Object.entries(flags).map(([name, value]) => `-D${name}=${value.replace('%', directory)}`),
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      join(directory, 'zoo.cfg'),
    ],
    startTimeoutMs: 60_000,
  });
}
