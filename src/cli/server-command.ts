// `zabra server`: loads the configuration, starts a server, says in plain words what it is doing, and stops cleanly on
// SIGTERM or SIGINT. Every option of zoo.cfg is a flag too; the table of options in the server is the source of both.

import type { Argv } from 'yargs';
import { flagDescriptions } from '../server/config/index.js';
import {
  ConfigError,
  createLogger,
  formatWarning,
  type Logger,
  loadConfig,
  packageVersion,
  type RunningServer,
  type ServerConfig,
  StorageError,
  startServer,
} from '../server/index.js';
import { nearest } from './shell/lookup.js';

/** Shown in --help; all other options of zoo.cfg are flags as well, and listed by --help-all. */
const COMMON_FLAGS: ReadonlySet<string> = new Set([
  'dataDir',
  'clientPort',
  'clientPortAddress',
  'tickTime',
  'log.level',
  'log.format',
]);

export function describeServerCommand(yargs: Argv): Argv {
  for (const { flag, name, help, defaultText } of flagDescriptions()) {
    const sentence = help.replace(/\.$/, '');
    yargs.option(flag, {
      type: 'string',
      describe: defaultText === undefined ? sentence : `${sentence} [${defaultText}]`,
      hidden: !COMMON_FLAGS.has(name),
      requiresArg: true,
    });
  }
  return yargs
    .usage('zabra server [--config zoo.cfg] [flags]')
    .usage('')
    .usage('Runs a server. Without a configuration: port 2181 on 127.0.0.1, data in ./data.')
    .usage('Every option of zoo.cfg is a flag: clientPort is --client-port or --clientPort.')
    .option('config', { alias: 'c', type: 'string', requiresArg: true, describe: 'A zoo.cfg, as ZooKeeper takes it' })
    .option('server-id', {
      type: 'string',
      requiresArg: true,
      describe: 'Number of this server, in place of the file myid',
    })
    .option('D', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'A system property: -Dzookeeper.snapCount=50000',
    })
    .showHidden('help-all', 'Show help with every flag')
    .parserConfiguration({ 'dot-notation': false, 'camel-case-expansion': false })
    .example('zabra server', 'one server for development')
    .example('zabra server --config /etc/zabra/zoo.cfg', 'with an existing configuration')
    .example('zabra server --client-port 2281 --data-dir /srv/zabra', 'another port and place');
}

/**
 * The arguments as yargs takes them. `-Dzookeeper.x=y` it would read as a row of one-letter flags: becomes
 * `-D zookeeper.x=y`. `--clientPort`, as in zoo.cfg, becomes `--client-port`. `--help-all` alone would start a server.
 */
export function serverArguments(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (/^-D./.test(arg)) return ['-D', arg.slice(2)];
    return arg === '--help-all' ? ['--help', arg] : [canonicalFlag(arg)];
  });
}

function canonicalFlag(arg: string): string {
  const [, name, value = ''] = /^--([^=]+)(=.*)?$/s.exec(arg) ?? [];
  const known = flagDescriptions().find((description) => description.name === name);
  return known === undefined ? arg : `--${known.flag}${value}`;
}

/** What was probably meant by arguments that are not understood: a file is a configuration, a flag is misspelt. */
export function serverHint(args: readonly string[]): string | undefined {
  const names = [...flagDescriptions().map(({ flag }) => flag), 'config', 'server-id', 'help', 'help-all', 'version'];
  for (const [i, arg] of args.entries()) {
    if (/\.cfg$/.test(arg) && (i === 0 || !args[i - 1].startsWith('-'))) return `zabra server --config ${arg}`;
    const name = /^--([^=]+)/.exec(canonicalFlag(arg))?.[1];
    if (name === undefined || names.includes(name)) continue;
    const near = nearest(name.toLowerCase(), names);
    if (near !== undefined) return `--${near}`;
  }
  return undefined;
}

/** Runs until the server is told to stop; the process's exit code is 0, or 1 with the reason on standard error. */
export async function runServer(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const known = new Set(flagDescriptions().map(({ flag }) => flag));
  const flags: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(argv)) {
    if (value !== undefined && (known.has(name) || name === 'server-id' || name === 'D')) flags[name] = value;
  }
  try {
    const { config, warnings } = loadConfig({
      file: argv.config as string | undefined,
      flags: flags as never,
      env: process.env,
    });
    const logger = createLogger({
      level: config.logLevel,
      format: config.logFormat,
      stream: process.stdout,
      isTerminal: process.stdout.isTTY === true,
    });
    for (const warning of warnings) {
      logger[warning.severity === 'note' ? 'info' : 'warn'](formatWarning(warning));
    }
    await serve(config, logger);
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  }
}

async function serve(config: ServerConfig, logger: Logger): Promise<void> {
  logger.info(`zabra ${packageVersion()} starts, with its data in ${config.dataDir}`, { pid: process.pid });
  const server = await startServer(config, logger);
  greet(config, server, logger);
  const signal = await Promise.race([signalled('SIGTERM'), signalled('SIGINT'), server.failed]);
  if (signal instanceof Error) {
    logger.error(
      `stopping: ${signal.message}`,
      signal instanceof StorageError ? { remedy: signal.remedy } : { error: signal },
    );
    process.exitCode = 1;
  } else logger.info(`stopping on ${signal}`);
  await server.stop();
  logger.info('stopped');
}

function greet(config: ServerConfig, server: RunningServer, logger: Logger): void {
  if (server.securePort !== undefined) {
    logger.info(`serving clients over TLS on ${config.secureClientListen?.host ?? '0.0.0.0'}:${server.securePort}`);
  }
  if (config.clientListen === undefined) return;
  const host = config.clientListen.host ?? '0.0.0.0';
  const address = `${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${server.port}`;
  logger.info(`serving clients on ${host}:${server.port}`);
  if (process.stdout.isTTY !== true) return;
  const command = (text: string) => `\x1b[1m${text}\x1b[0m`;
  process.stdout.write(
    `\n  Connect with   ${command(`npx zabra cli -server ${address}`)}\n` +
      `  or in code     ${command(`const client = await connect('${address}')`)}   from 'zabra'\n` +
      `  Stop with      ${command('Ctrl-C')}\n\n`,
  );
}

function signalled(name: NodeJS.Signals): Promise<NodeJS.Signals> {
  return new Promise((resolve) => process.once(name, () => resolve(name)));
}

function explain(error: unknown): void {
  if (error instanceof ConfigError) console.error(`zabra: ${error.message}`);
  else if (error instanceof StorageError) console.error(`zabra: ${error.message} ${error.remedy}`);
  else if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    console.error(
      `zabra: ${(error as Error).message}. Stop whoever uses the port, or choose another with --client-port.`,
    );
  } else console.error('zabra: the server could not be started:', error);
}
