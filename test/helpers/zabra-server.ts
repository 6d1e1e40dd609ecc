/**
 * Our own server as users run it: `node bin/zabra.js server --config zoo.cfg` in a process of its own, so that a test
 * can kill it, stop it, freeze it and start it again on its data.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort, LOOPBACK } from './ports.js';
import { runServer, type ServerUnderTest, temporaryDirectory, zooCfg } from './processes.js';

const LAUNCHER = resolve('bin/zabra.js');

/**
 * Starts a standalone server of this project (compiled beforehand: the launcher runs dist/).
 * @param settings zoo.cfg lines on top of the defaults below; '' leaves a key out.
 */
export async function startZabra(settings: Readonly<Record<string, string>> = {}): Promise<ServerUnderTest> {
  if (!existsSync(LAUNCHER)) throw new Error(`${LAUNCHER} is missing: run from the project's root`);
  const directory = temporaryDirectory('zabra');
  const port = await freePort();
  mkdirSync(join(directory, 'data'));
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
      ...settings,
    }),
  );
  return runServer({
    name: 'zabra',
    directory,
    port,
    command: process.execPath,
    args: [LAUNCHER, 'server', '--config', join(directory, 'zoo.cfg')],
    startTimeoutMs: 30_000,
  });
}
