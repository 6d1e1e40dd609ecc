// `zabra cli`: the shell. Its flags may be written as zkCli.sh has them (`-server host:port`), and everything from the
// first word that is no flag on is a command for the shell, whose own flags are not touched.

import { createReadStream } from 'node:fs';
import type { Argv } from 'yargs';
import { ExitCode } from './shell/errors.js';
import { runInteractive } from './shell/interactive.js';
import { Output, type OutputOptions } from './shell/output.js';
import { runCommand, runScript } from './shell/script.js';
import type { ShellSessionOptions } from './shell/session.js';
import { SERVER_DEFAULT, startSettings, TIMEOUT_MS_DEFAULT } from './shell/start/settings.js';

const VALUE_FLAGS: ReadonlyMap<string, string> = new Map([
  ['-server', '--server'],
  ['--server', '--server'],
  ['-s', '--server'],
  ['-timeout', '--timeout'],
  ['--timeout', '--timeout'],
  ['--ca', '--ca'],
  ['--cert', '--cert'],
  ['--key', '--key'],
  ['--auth', '--auth'],
  ['-f', '--file'],
  ['--file', '--file'],
  ['-client-configuration', '--client-configuration'],
  ['--client-configuration', '--client-configuration'],
]);
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['-r', '--readonly'],
  ['-readonly', '--readonly'],
  ['-json', '--json'],
  ['-q', '--quiet'],
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
    .usage('The commands are those of zkCli.sh and more; `zabra cli help` lists them.')
    .epilogue('Exit codes: 0 done, 1 refused or failed, 2 not a command or flag, 3 no connection.')
    .epilogue('')
    .epilogue('The server, its flags and identities can stand in ~/.config/zabra: lines like `server = zk1:2181`,')
    .epilogue('`ca = /etc/ca.pem`, `auth = digest:ann:secret`; or in ZABRA_SERVER and ZABRA_AUTH.')
    .option('server', {
      alias: 's',
      type: 'string',
      requiresArg: true,
      describe: `Where to connect to [${SERVER_DEFAULT}]; -server works too`,
    })
    .option('timeout', {
      type: 'number',
      requiresArg: true,
      describe: `How long to wait for a connection or an answer, in ms [${TIMEOUT_MS_DEFAULT}]`,
    })
    .option('auth', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Who to be, as digest:user:password; may be given again',
    })
    .option('file', { alias: 'f', type: 'string', requiresArg: true, describe: 'Run the commands of this file' })
    .option('readonly', { alias: 'r', type: 'boolean', describe: 'Accept a server without a quorum' })
    .option('tls', { type: 'boolean', describe: 'Connect over TLS; the next three do so as well' })
    .option('ca', { type: 'string', requiresArg: true, describe: 'PEM file: whom to trust [public authorities]' })
    .option('cert', { type: 'string', requiresArg: true, describe: 'PEM file: the certificate to show' })
    .option('key', { type: 'string', requiresArg: true, describe: 'PEM file: its private key [the file of --cert]' })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON value a command' })
    .option('quiet', {
      alias: 'q',
      type: 'boolean',
      default: false,
      describe: 'Print answers, but no remarks and hints',
    })
    .option('client-configuration', {
      type: 'string',
      requiresArg: true,
      describe: "TLS as in the properties file of ZooKeeper's Java client",
    })
    .option('waitforconnection', { type: 'boolean', hidden: true, describe: 'Always so; zkCli.sh has it as a flag' })
    .example('zabra cli', 'a shell on 127.0.0.1:2181')
    .example('zabra cli -server zk1:2181,zk2:2181/app', 'another place, below /app')
    .example('zabra cli -s zk1:2181 -- get -s /config', 'one command')
    .example('zabra cli -s zk1:2281 --ca ca.pem --cert me.pem', 'over TLS')
    .example('zabra cli --json -- ls / | jq .children', 'for a program')
    .example('zabra cli -f commands.txt', 'a script; `zabra cli < commands.txt` as well')
    .example('zabra cli -q -- create -s /jobs/job-', 'only the answer: the path of the new node');
}

/** Runs the shell and sets the process's exit code. */
export async function runCli(argv: Readonly<Record<string, unknown>>, command: readonly string[]): Promise<void> {
  const { stdout, stderr, env } = process;
  const output = { stdout, stderr, env, json: argv.json === true, quiet: argv.quiet === true };
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.ok); // `zabra cli -- ls -R / | head`
    throw error;
  });
  try {
    process.exitCode = await run(command, argv.file, startSettings(argv, env), output);
  } catch (error) {
    process.exitCode = new Output(output).complaint(error);
  }
}

async function run(
  command: readonly string[],
  file: unknown,
  session: ShellSessionOptions,
  output: OutputOptions,
): Promise<ExitCode> {
  const { stdin, stdout } = process;
  if (command.length > 0) return await runCommand(command, { session, output });
  if (typeof file === 'string') return await runScript(createReadStream(file), { session, output });
  if (stdin.isTTY === true && stdout.isTTY === true) return await runInteractive({ stdin, stdout, session, output });
  const exitCode = await runScript(stdin, { session, output });
  stdin.destroy(); // after `quit` somebody may still hold its other end open
  return exitCode;
}
