// `zabra cli`: the shell. Its flags may be written as zkCli.sh has them (`-server host:port`), and everything from the
// first word that is no flag on is a command for the shell, whose own flags are not touched.

import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import type { ClientTlsOptions } from '../client/index.js';
import { ExitCode } from './shell/errors.js';
import { runInteractive } from './shell/interactive.js';
import { runCommand, runScript } from './shell/script.js';

const VALUE_FLAGS: ReadonlyMap<string, string> = new Map([
  ['-server', '--server'],
  ['--server', '--server'],
  ['-s', '--server'],
  ['-timeout', '--timeout'],
  ['--timeout', '--timeout'],
  ['--ca', '--ca'],
  ['--cert', '--cert'],
  ['--key', '--key'],
]);
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['-r', '--readonly'],
  ['-readonly', '--readonly'],
  ['-json', '--json'],
  ['-help', '--help'],
  ['-waitforconnection', '--waitforconnection'],
]);

export interface SplitArguments {
  /** For yargs, all with two dashes. */
  readonly flags: readonly string[];
  /** The words of the shell's command; none for a session. */
  readonly command: readonly string[];
}

/** @param args what follows `zabra cli`. */
export function splitArguments(args: readonly string[]): SplitArguments {
  const flags: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--') return { flags, command: args.slice(i + 1) };
    if (!arg.startsWith('-')) return { flags, command: args.slice(i) };
    const valueFlag = VALUE_FLAGS.get(arg);
    if (valueFlag === undefined) flags.push(SWITCHES.get(arg) ?? withTwoDashes(arg));
    else flags.push(valueFlag, ...args.slice(++i, i + 1));
  }
  return { flags, command: [] };
}

/** `-servr` is a misspelt word and not six letters. */
function withTwoDashes(arg: string): string {
  return /^-[a-z]{2}/i.test(arg) ? `-${arg}` : arg;
}

export function describeCliCommand(yargs: Argv): Argv {
  return yargs
    .usage('zabra cli [-server host:port[,…][/chroot]] [flags] [--] [command]')
    .usage('')
    .usage('Talks to a Zabra or ZooKeeper server. With a command: runs it.')
    .usage('Without one: a shell at a terminal, else the commands of standard input.')
    .usage('The commands are those of zkCli.sh; `zabra cli help` lists them.')
    .epilogue('Exit codes: 0 done, 1 refused by the server, 2 not a command, 3 no connection.')
    .option('server', {
      alias: 's',
      type: 'string',
      requiresArg: true,
      default: '127.0.0.1:2181',
      describe: 'Where to connect to; -server works too',
    })
    .option('timeout', {
      type: 'number',
      requiresArg: true,
      default: 10_000,
      describe: 'How long to wait for a connection or an answer, in ms',
    })
    .option('readonly', { alias: 'r', type: 'boolean', default: false, describe: 'Accept a server without a quorum' })
    .option('tls', { type: 'boolean', default: false, describe: 'Connect over TLS; the next three do so as well' })
    .option('ca', { type: 'string', requiresArg: true, describe: 'PEM file: whom to trust [public authorities]' })
    .option('cert', { type: 'string', requiresArg: true, describe: 'PEM file: the certificate to show' })
    .option('key', { type: 'string', requiresArg: true, describe: 'PEM file: its private key [the file of --cert]' })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON value a command' })
    .option('waitforconnection', { type: 'boolean', hidden: true, describe: 'Always so; zkCli.sh has it as a flag' })
    .example('zabra cli', 'a shell on 127.0.0.1:2181')
    .example('zabra cli -server zk1:2181,zk2:2181/app', 'another place, below /app')
    .example('zabra cli -s zk1:2181 -- get -s /config', 'one command')
    .example('zabra cli -s zk1:2281 --ca ca.pem --cert me.pem', 'over TLS')
    .example('zabra cli --json -- ls / | jq .children', 'for a program')
    .example('zabra cli < commands.txt', 'a script');
}

/** Runs the shell and sets the process's exit code. */
export async function runCli(argv: Readonly<Record<string, unknown>>, command: readonly string[]): Promise<void> {
  const timeoutMs = Number(argv.timeout);
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) {
    console.error(`zabra: --timeout is a whole number of milliseconds, not ${String(argv.timeout)}`);
    process.exitCode = ExitCode.usage;
    return;
  }
  const tls = readTls(argv);
  if (typeof tls === 'string') {
    console.error(`zabra: ${tls}`);
    process.exitCode = ExitCode.usage;
    return;
  }
  const session = { server: String(argv.server), timeoutMs, readOnly: argv.readonly === true, tls };
  const { stdin, stdout, stderr, env } = process;
  const output = { stdout, stderr, env, json: argv.json === true };
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.ok); // `zabra cli -- ls -R / | head`
    throw error;
  });
  if (command.length > 0) process.exitCode = await runCommand(command, { session, output });
  else if (stdin.isTTY === true && stdout.isTTY === true) {
    process.exitCode = await runInteractive({ stdin, stdout, session, output });
  } else {
    process.exitCode = await runScript(stdin, { session, output });
    stdin.destroy(); // after `quit` somebody may still hold its other end open
  }
}

/** What the flags say about TLS, undefined for none; or, as text, which file cannot be read. */
function readTls(argv: Readonly<Record<string, unknown>>): ClientTlsOptions | string | undefined {
  const files = { ca: argv.ca, cert: argv.cert, key: argv.key ?? argv.cert };
  const material: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = files[name];
    if (typeof file !== 'string') continue;
    try {
      material[name] = readFileSync(file);
    } catch (error) {
      return `--${name}: ${(error as Error).message}`;
    }
  }
  return argv.tls === true || Object.keys(material).length > 0 ? material : undefined;
}
