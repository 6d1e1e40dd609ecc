// The command line: one program, a sub-command for each thing a person does with it.

import { createRequire } from 'node:module';
import yargs from 'yargs';
import { describeCliCommand, runCli, splitArguments } from './cli-command.js';
import { describeServerCommand, runServer, splitDefinitions } from './server-command.js';
import { ExitCode } from './shell/errors.js';

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };

export async function main(args: string[]): Promise<void> {
  // What follows `zabra cli` may be a command of the shell, with flags that are none of ours.
  const { flags, command } = args[0] === 'cli' ? splitArguments(args.slice(1)) : { flags: args.slice(1), command: [] };
  await yargs([...args.slice(0, 1), ...splitDefinitions(flags)])
    .scriptName('zabra')
    .usage('$0 <command>\n\nA coordination service that speaks the ZooKeeper protocol.')
    .command('server', 'run a server', describeServerCommand, runServer)
    .command('cli', 'talk to a server: a shell, a script or one command', describeCliCommand, (argv) =>
      runCli(argv, command),
    )
    .demandCommand(1, 'Say what to do: `zabra server` runs a server, `zabra cli` talks to one.')
    .strict()
    .recommendCommands()
    .version(version)
    .alias('h', 'help')
    .example('zabra server', 'a server on 127.0.0.1:2181, with its data in ./data')
    .example('zabra cli', 'a shell on it')
    .example('zabra cli -- ls /', 'one command on it')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .fail((message, error) => {
      if (error !== undefined && message === null) throw error;
      console.error(
        `zabra: ${message ?? error.message} (try: zabra ${args[0] === 'cli' || args[0] === 'server' ? `${args[0]} ` : ''}--help)`,
      );
      process.exit(ExitCode.usage);
    })
    .parseAsync();
}
