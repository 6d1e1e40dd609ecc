// The command line: one program, a sub-command for each thing a person does with it.

import { createRequire } from 'node:module';
import yargs from 'yargs';
import { describeCliCommand, runCli, splitArguments } from './cli-command.js';
import { describeCredentialCommand, runCredential } from './credential-command.js';
import { describeDevCommand, runDev } from './dev-command.js';
import { describeServerCommand, runServer, serverArguments, serverHint } from './server-command.js';
import { ExitCode } from './shell/errors.js';
import { describeVerifyCommand, runVerify } from './verify-command.js';

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };

/** Those with a help of their own. */
const COMMANDS: readonly (string | undefined)[] = ['server', 'dev', 'cli', 'verify', 'credential'];

export async function main(args: string[]): Promise<void> {
  // What follows `zabra cli` may be a command of the shell, with flags that are none of ours.
  const [name, ...rest] = args;
  const { flags, command } = name === 'cli' ? splitArguments(rest) : { flags: rest, command: [] };
  await yargs([...args.slice(0, 1), ...(name === 'server' ? serverArguments(flags) : flags)])
    .scriptName('zabra')
    .usage('$0 <command>\n\nA coordination service that speaks the ZooKeeper protocol.')
    .command('server', 'run a server', describeServerCommand, runServer)
    .command('dev', 'run several servers on this machine, for development', describeDevCommand, runDev)
    .command('cli', 'talk to a server: a shell, a script or one command', describeCliCommand, (argv) =>
      runCli(argv, command),
    )
    .command('verify <directory>', 'check the data of a server that is not running', describeVerifyCommand, runVerify)
    .command(
      'credential <user>',
      'make a line for those who may log in by SASL',
      describeCredentialCommand,
      runCredential,
    )
    .demandCommand(1, 'Say what to do: `zabra server` runs a server, `zabra dev` several, `zabra cli` talks to them.')
    .strict()
    .recommendCommands()
    .version(version)
    .alias('h', 'help')
    .example('zabra server', 'a server on 127.0.0.1:2181, with its data in ./data')
    .example('zabra dev', 'three of them on this machine, to see one take over from another')
    .example('zabra cli', 'a shell on it')
    .example('zabra cli -- ls /', 'one command on it')
    // yargs breaks a line in mid-word; the long list of all flags is left to the terminal.
    .wrap(rest.includes('--help-all') ? null : Math.min(100, process.stdout.columns ?? 100))
    .fail((message, error) => {
      if (error !== undefined && message === null) throw error;
      const hint = name === 'server' ? serverHint(rest) : undefined;
      const help = COMMANDS.includes(name) ? `zabra ${name} --help` : 'zabra --help';
      console.error(`zabra: ${message ?? error.message} (try: ${hint ?? help})`);
      process.exit(ExitCode.usage);
    })
    .parseAsync();
}
