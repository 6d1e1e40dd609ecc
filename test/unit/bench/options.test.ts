import { parseOptions } from '../../bench/options.js';

describe('parseOptions', () => {
  test('the workloads, on one server, when nothing is said', () => {
    expect(parseOptions([])).toMatchObject({ scenario: 'workloads', servers: 1, rounds: 3, secs: 2, bigNodes: 0 });
  });

  test('what needs an ensemble has three servers', () => {
    expect(parseOptions(['--failover'])).toMatchObject({ scenario: 'failover', servers: 3, rounds: 3 });
    expect(parseOptions(['--lagging'])).toMatchObject({ scenario: 'lagging', servers: 3, writes: 1_000_000 });
    expect(parseOptions(['--pauses'])).toMatchObject({ scenario: 'pauses', servers: 3, secs: 60, snapCount: 100_000 });
    expect(parseOptions(['--pauses', '--servers', '5', '--secs', '7'])).toMatchObject({ servers: 5, secs: 7 });
    expect(() => parseOptions(['--failover', '--servers', '2'])).toThrow('--servers takes a number from 3 on');
  });

  test('one thing at a time', () => {
    expect(() => parseOptions(['--lagging', '--pauses'])).toThrow('--lagging and --pauses');
  });

  test('--big alone stands for its default', () => {
    expect(parseOptions(['--big', '--alone'])).toMatchObject({ bigNodes: 1_000_000, alone: true });
    expect(parseOptions(['--big', '5'])).toMatchObject({ bigNodes: 5 });
  });

  test('help, and what cannot be understood', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
    expect(() => parseOptions(['--rounds', 'many'])).toThrow('--rounds takes a number from 1 on, not "many"');
    expect(() => parseOptions(['--fail-over'])).toThrow('--fail-over');
  });
});
