import { splitDefinitions } from '../../../src/cli/server-command.js';

test('system properties are taken as a JVM takes them', () => {
  expect(splitDefinitions(['-Dzookeeper.snapCount=50', '--data-dir', '/d', '-D', 'a=b'])).toEqual([
    '-D',
    'zookeeper.snapCount=50',
    '--data-dir',
    '/d',
    '-D',
    'a=b',
  ]);
});
