// The command line: one program, a sub-command for each thing a person does with it.

import { createRequire } from 'node:module';
import yargs from 'yargs';
import { describeServerCommand, runServer } from './server-command.js';

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };

export async function main(args: string[]): Promise<void> {
  await yargs(args)
    .scriptName('zabra')
    .usage('$0 <command>\n\nA coordination service that speaks the ZooKeeper protocol.')
    .command('server', 'run a server', describeServerCommand, runServer)
    .demandCommand(1, 'Say what to do: `zabra server` runs a server, `zabra cli` talks to one.')
    .strict()
    .recommendCommands()
    .version(version)
    .alias('h', 'help')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .parseAsync();
}
