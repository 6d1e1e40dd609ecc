// Where `zabra cli` does not print what zkCli.sh 3.8 prints, and why. Two differences are everywhere and taken out before
// the answers are compared: ours says what to try, and zkCli.sh lists all its commands when it does not know one.

export interface Difference {
  readonly command: string;
  readonly zkCli: readonly string[];
  readonly zabra: readonly string[];
  readonly why: string;
}

/** What to try, and the usage behind a mistake in the words. */
export function withoutAdvice(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ \(try: .*\)$/, '')).filter((line) => !line.startsWith('Usage: '));
}

export function withoutCommandList(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^(ZooKeeper -server|\t)/.test(line));
}

const USAGE_ALONE = 'zkCli.sh prints the usage alone; ours says what is wrong, with the usage on a second line';
const NO_SUCH_FLAG = 'zkCli.sh 3.8 prints the name of a Java class';
const SINCE_3_9 = 'the flag came with zkCli.sh 3.9; ours has it';

const unknownFlag = (flag: string): string[] => [
  `org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: ${flag}`,
];

export const DIFFERENCES: readonly Difference[] = [
  {
    command: 'create -t soon /a/bad',
    zkCli: ['-t argument must be a long value'],
    zabra: ['-t: ttl is a whole number from 1 up, not soon'],
    why: 'all flags with a number complain in the same words, and repeat what they were given',
  },
  {
    command: 'reconfig',
    zkCli: [
      'reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
    ],
    zabra: ['Either -file, or -members, or -add and -remove'],
    why: USAGE_ALONE,
  },
  {
    command: 'nosuchcommand /',
    zkCli: ['Command not found: Command not found nosuchcommand'],
    zabra: ['Command not found: nosuchcommand'],
    why: 'said once, with the nearest name as advice',
  },
  { command: 'ls', zkCli: ['ls [-s] [-w] [-R] path'], zabra: ['The path is missing'], why: USAGE_ALONE },
  { command: 'ls -z /', zkCli: unknownFlag('-z'), zabra: ['There is no flag -z'], why: NO_SUCH_FLAG },
  {
    command: 'create',
    zkCli: ['create [-s] [-e] [-c] [-t ttl] path [data] [acl]'],
    zabra: ['The path is missing'],
    why: USAGE_ALONE,
  },
  { command: 'get -b /a', zkCli: unknownFlag('-b'), zabra: ['Zm91cnRo'], why: SINCE_3_9 },
  { command: 'set -b /a aGVsbG8=', zkCli: unknownFlag('-b'), zabra: [], why: SINCE_3_9 },
  {
    command: 'get -x /a',
    zkCli: unknownFlag('-x'),
    zabra: [
      '         +-------------------------------------------------+',
      '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
      '+--------+-------------------------------------------------+----------------+',
      '|00000000| 68 65 6c 6c 6f                                  |hello           |',
      '+--------+-------------------------------------------------+----------------+',
    ],
    why: SINCE_3_9,
  },
  {
    command: 'event after removewatches /w',
    zkCli: ['WatchedEvent state:SyncConnected type:PersistentWatchRemoved path:/w'],
    zabra: ['WatchedEvent state:SyncConnected type:WatchRemoved path:/w'],
    why: "the SDK has one event for a watch that was taken away; the shell's user has just said which one",
  },
  {
    command: 'event after removewatches /deep',
    zkCli: ['WatchedEvent state:SyncConnected type:PersistentWatchRemoved path:/deep'],
    zabra: ['WatchedEvent state:SyncConnected type:WatchRemoved path:/deep'],
    why: 'as above',
  },
  {
    command: 'event after removewatches /w -d',
    zkCli: ['WatchedEvent state:SyncConnected type:DataWatchRemoved path:/w'],
    zabra: ['WatchedEvent state:SyncConnected type:WatchRemoved path:/w'],
    why: 'as above',
  },
];
