import { splitArguments } from '../../../src/cli/cli-command.js';

test.each<[string[], string[], string[]]>([
  [[], [], []],
  [['-server', 'h:1'], ['--server', 'h:1'], []],
  [
    ['-s', 'h:1', '--json', 'ls', '-s', '/'],
    ['--server', 'h:1', '--json'],
    ['ls', '-s', '/'],
  ],
  [['--', 'ls', '-R', '/'], [], ['ls', '-R', '/']],
  [['-timeout', '500', '-r', '-waitforconnection'], ['--timeout', '500', '--readonly', '--waitforconnection'], []],
  [['--server=h:1', 'create', '/a', '--'], ['--server=h:1'], ['create', '/a', '--']],
  [['-server'], ['--server'], []],
  [
    ['--tls', '--ca', 'ca.pem', '--cert', 'me.pem', 'ls', '/'],
    ['--tls', '--ca', 'ca.pem', '--cert', 'me.pem'],
    ['ls', '/'],
  ],
])('%j', (args, flags, command) => {
  expect(splitArguments(args)).toEqual({ flags, command });
});

test('a misspelt flag of several letters is one word', () => {
  expect(splitArguments(['-servr', 'x'])).toEqual({ flags: ['--servr'], command: ['x'] });
});
