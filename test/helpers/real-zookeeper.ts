/**
 * Apache ZooKeeper 3.8 from Debian's package `zookeeper`, as the oracle: one standalone server in a directory of its
 * own, on a free port of 127.0.0.1.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, LOOPBACK } from './ports.js';
import { runServer, type ServerUnderTest, temporaryDirectory, zooCfg } from './processes.js';

const JAVA = '/usr/bin/java';
const JARS = '/usr/share/java/';
// The manifest of zookeeper.jar names the rest; the log binding is what it leaves out, and a part of Netty (for TLS).
const CLASSPATH = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2', 'netty-codec']
  .map((jar) => `${JARS}${jar}.jar`)
  .join(':');
/** What only the JVM itself can be told; zabra takes it in its file. */
const JAAS = 'java.security.auth.login.config';
const LOG4J = `log4j.rootLogger=INFO, CONSOLE
log4j.appender.CONSOLE=org.apache.log4j.ConsoleAppender
log4j.appender.CONSOLE.layout=org.apache.log4j.PatternLayout
log4j.appender.CONSOLE.layout.ConversionPattern=%d{ISO8601} %-5p %m%n
`;

/** Why real ZooKeeper cannot be started on this machine; undefined when it can. */
export function whyNoZooKeeper(): string | undefined {
  if (!existsSync(`${JARS}zookeeper.jar`)) return 'no ZooKeeper: Debian package zookeeper is not installed';
  if (!existsSync(JAVA)) return `no ZooKeeper: ${JAVA} is missing`;
  return undefined;
}

/**
 * Starts a standalone ZooKeeper.
 * @param settings zoo.cfg lines on top of the defaults below; '' leaves a key out. Unknown keys become system
 *   properties `zookeeper.<key>`.
 */
export async function startZooKeeper(settings: Readonly<Record<string, string>> = {}): Promise<ServerUnderTest> {
  const absent = whyNoZooKeeper();
  if (absent !== undefined) throw new Error(absent);
  const { [JAAS]: jaasFile, ...inFile } = settings;
  const directory = temporaryDirectory('zookeeper');
  const port = await freePort();
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'log4j.properties'), LOG4J);
  writeFileSync(
    join(directory, 'zoo.cfg'),
    zooCfg({
      tickTime: '1000',
      dataDir: join(directory, 'data'),
      clientPort: String(port),
      clientPortAddress: LOOPBACK,
      maxClientCnxns: '0',
      '4lw.commands.whitelist': '*',
      'admin.enableServer': 'false',
      extendedTypesEnabled: 'true',
      ...inFile,
    }),
  );
  return runServer({
    name: 'zookeeper',
    directory,
    port,
    command: JAVA,
    args: [
      '-Xmx400m',
      '-XX:TieredStopAtLevel=1',
      ...['-cp', CLASSPATH],
      '-Djava.awt.headless=true',
      '-Dfile.encoding=UTF-8',
      '-Dzookeeper.jmx.log4j.disable=true',
      `-Dlog4j.configuration=file:${join(directory, 'log4j.properties')}`,
      ...(jaasFile === undefined ? [] : [`-D${JAAS}=${jaasFile}`]),
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      join(directory, 'zoo.cfg'),
    ],
    startTimeoutMs: 60_000,
  });
}
