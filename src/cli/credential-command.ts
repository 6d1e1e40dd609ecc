// `zabra credential bob`: a line for the file of those who may log in by SASL (sasl.credentialsPath). The password is read
// from standard input and goes nowhere; what is printed cannot be turned back into it.
//
//   zabra credential bob < password.txt >> sasl-users

import { stderr, stdin, stdout } from 'node:process';
import { text } from 'node:stream/consumers';
import type { Argv } from 'yargs';
import { makeCredential } from '../server/index.js';
import { ExitCode } from './shell/errors.js';

export function describeCredentialCommand(yargs: Argv): Argv {
  return yargs
    .usage('zabra credential <user>')
    .usage('')
    .usage('Makes a line for the file that sasl.credentialsPath names, from a password on standard input.')
    .positional('user', { type: 'string', demandOption: true, describe: 'Who is to log in' })
    .option('digest-md5', {
      type: 'boolean',
      default: false,
      describe: "Another line, for clients without SCRAM: ZooKeeper's own, kazoo. It is as good as a password",
    })
    .example('zabra credential bob < password >> sasl-users', 'bob may log in');
}

export async function runCredential(argv: Readonly<Record<string, unknown>>): Promise<void> {
  if (stdin.isTTY) stderr.write('The password, which is shown as you type; end with Ctrl-D on a line of its own:\n');
  const [password = ''] = (await text(stdin)).split(/\r?\n/);
  try {
    if (password === '') throw new RangeError('there is no password on standard input');
    const lines = makeCredential(String(argv.user), password, { digestMd5: argv.digestMd5 === true });
    stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    stderr.write(`zabra: ${error.message}\n`);
    process.exitCode = ExitCode.usage;
  }
}
