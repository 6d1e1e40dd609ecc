import { serverArguments, serverHint } from '../../../src/cli/server-command.js';

test('a system property may be joined to its -D, as a JVM takes it', () => {
  expect(serverArguments(['-Dzookeeper.snapCount=50', '--data-dir', '/d', '-D', 'a=b'])).toEqual([
    '-D',
    'zookeeper.snapCount=50',
    '--data-dir',
    '/d',
    '-D',
    'a=b',
  ]);
});

test('an option may be written as in zoo.cfg', () => {
  expect(serverArguments(['--clientPort', '5', '--autopurge.purgeInterval=2', '--unknownName'])).toEqual([
    '--client-port',
    '5',
    '--autopurge-purge-interval=2',
    '--unknownName',
  ]);
});

test('--help-all shows help, and starts no server', () => {
  expect(serverArguments(['--help-all'])).toEqual(['--help', '--help-all']);
});

test.each([
  [['--clientprot', '5'], '--client-port'],
  [['--snapCuont=5'], '--snap-count'],
  [['/etc/zoo.cfg'], 'zabra server --config /etc/zoo.cfg'],
  [['--config', '/etc/zoo.cfg', '--client-prt', '5'], '--client-port'],
  [['--somethingElseAltogether'], undefined],
])('what was meant by %j', (args, hint) => {
  expect(serverHint(args)).toBe(hint);
});
