// Answers are compared with recordings of a real ZooKeeper: values are masked, lines, keys and order must be the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentPairs } from '../../../../src/server/admin/environment.js';
import {
  answerFourLetterWord,
  FOUR_LETTER_WORDS,
  type FourLetterWord,
  fourLetterWordAt,
  versionText,
} from '../../../../src/server/admin/four-letter-words.js';
import type { ConnectionFacts, ServerFacts } from '../../../../src/server/admin/server-facts.js';
import { configurationLines, loadConfig } from '../../../../src/server/config/index.js';

const GOLDEN = join(import.meta.dirname, '../../../../../test/golden/four-letter-words');
const golden = (name: string): string => readFileSync(join(GOLDEN, `${name}.txt`), 'utf8');

const A = 0x1000016f5670000n;
const B = 0x1000016f5670001n;

function connection(port: number, sessionId: bigint | undefined): ConnectionFacts {
  const session = {
    sessionId: sessionId ?? 0n,
    lastOperation: 'GETD',
    establishedMs: 1_795_557_273_143,
    timeoutMs: 10_000,
    lastCxid: 8,
    lastZxid: 7n,
    lastResponseMs: 1_519_377,
    lastLatencyMs: 1,
    minLatencyMs: 0,
    averageLatencyMs: 2.7,
    maxLatencyMs: 8,
  };
  const known = sessionId !== undefined;
  return {
    address: '127.0.0.1',
    port,
    interestOps: known ? 1 : 0,
    queued: 0,
    received: 9,
    sent: 9,
    session: known ? session : undefined,
  };
}

const CONNECTIONS = [connection(34364, A), connection(34368, B), connection(34412, undefined)];

function facts(changes: Partial<ServerFacts> = {}): ServerFacts {
  return {
    version: versionText('0.1.0', new Date('2026-01-02T10:00:00Z')),
    serving: true,
    mode: 'standalone',
    readOnly: false,
    minLatencyMs: 0,
    averageLatencyMs: 12 / 7,
    maxLatencyMs: 8,
    packetsReceived: 26,
    packetsSent: 25,
    connections: CONNECTIONS,
    outstandingRequests: 0,
    zxid: 7n,
    nodeCount: 10,
    ephemeralCount: 3,
    watchCount: 4,
    approximateDataBytes: 108,
    globalSessions: 2,
    localSessions: 0,
    uptimeMs: 15_373,
    fileDescriptors: () => ({ open: 44, max: 20_000 }),
    lastClientResponseBytes: 16,
    minClientResponseBytes: 16,
    maxClientResponseBytes: 88,
    authFailures: 0,
    connectionDropProbability: 0,
    ensemble: undefined,
    leader: undefined,
    zab: undefined,
    members: () => [],
    observers: () => [],
    lastSnapshot: () => undefined,
    metrics: () => ({
      counters: new Map([['proposal_count', 5]]),
      summaries: new Map([['fsynctime', { count: 7, sum: 5, min: 0, max: 1 }]]),
    }),
    directories: () => ({ dataDirBytes: 67_109_337, dataLogDirBytes: 67_109_337 }),
    configurationLines: () =>
      configurationLines(loadConfig({ env: {} }).config, { dataDirBytes: 1, dataLogDirBytes: 1 }),
    environment: () => environmentPairs('3.9.5-zabra-0.1.0'),
    watchesByPath: () =>
      new Map([
        ['/app', [A, B]],
        ['/nothing', [B]],
      ]),
    dump: () => ({
      sessionBuckets: [{ expiresAtMs: 1_795_557_283_000, members: [B, A] }],
      ephemerals: [
        { sessionId: B, paths: ['/app/members/m3'] },
        { sessionId: A, paths: ['/app/members/m1', '/app/members/m2'] },
      ],
      connectionBuckets: [
        { expiresAtMs: 1_795_557_273_000, members: [] },
        { expiresAtMs: 1_795_557_283_000, members: CONNECTIONS },
      ],
    }),
    digests: () => [
      { zxid: 128n, digest: 3_484_527_670n },
      { zxid: 256n, digest: 3_984_626_205n },
    ],
    traceMask: 306n,
    setTraceMask: () => {},
    resetServerStatistics: () => {},
    resetConnectionStatistics: () => {},
    ...changes,
  };
}

const LEADER: Partial<ServerFacts> = {
  mode: 'leader',
  ensemble: { quorumSize: 3, peerState: 'leading - broadcast' },
  leader: {
    lastProposalBytes: 100,
    minProposalBytes: 48,
    maxProposalBytes: 100,
    learners: 2,
    syncedFollowers: 2,
    syncedNonVotingFollowers: 0,
    syncedObservers: 0,
    pendingSyncs: 0,
    leaderUptimeMs: 786,
  },
};

const ask = (word: FourLetterWord, changes: Partial<ServerFacts> = {}, payload?: Uint8Array): string =>
  answerFourLetterWord(word, facts(changes), ['*'], payload);

/** Values become N; the order of connections is chance on the real server, so lines of one kind look alike. */
function shape(text: string): string {
  return text
    .replace(/(version[:=\t] ?)3\..*/g, '$1VERSION')
    .replace(/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, 'DATE')
    .replace(/0x[0-9a-f]+/g, 'HEX')
    .replace(/lop=\w+/g, 'lop=OP')
    .replace(/(?<![A-Za-z_])-?\d+(\.\d+)?/g, 'N');
}

describe('answers have the shape of the recordings', () => {
  test.each(['crst', 'dirs', 'dump', 'gtmk', 'hash', 'isro', 'ruok', 'srst', 'srvr', 'wchc', 'wchp', 'wchs'] as const)(
    '%s',
    (word) => {
      expect(shape(ask(word))).toBe(shape(golden(word)));
    },
  );

  test('the words whose facts are those of the recording are equal to the letter', () => {
    for (const word of ['crst', 'dirs', 'hash', 'isro', 'ruok', 'srst', 'wchc', 'wchp', 'wchs'] as const) {
      expect(ask(word)).toBe(golden(word));
    }
    expect(ask('dump')).toBe(golden('dump'));
  });

  test('cons and stat, whose connections come in any order', () => {
    const sorted = (text: string): string[] => shape(text).split('\n').sort();
    expect(sorted(ask('cons'))).toEqual(sorted(golden('cons')));
    expect(sorted(ask('stat'))).toEqual(sorted(golden('stat')));
    expect(shape(ask('stat')).replace(/^ .*\n/gm, '')).toBe(shape(golden('stat')).replace(/^ .*\n/gm, ''));
    expect(ask('cons')).toContain(
      ' /127.0.0.1:34364[1](queued=0,recved=9,sent=9,sid=0x1000016f5670000,lop=GETD,est=1795557273143,to=10000,lcxid=0x8,lzxid=0x7,lresp=1519377,llat=1,minlat=0,avglat=2,maxlat=8)\n',
    );
  });

  test('srvr and stat on a leader', () => {
    expect(shape(ask('srvr', LEADER))).toBe(shape(golden('srvr.leader')));
    expect(ask('stat', LEADER)).toMatch(/\nNode count: 10\nProposal sizes last\/min\/max: 100\/48\/100\n$/);
  });

  test('dump on a follower', () => {
    const dump = { ...facts().dump(), globalSessions: [A, B].map((sessionId) => ({ sessionId, timeoutMs: 10_000 })) };
    expect(shape(ask('dump', { dump: () => dump }))).toBe(shape(golden('dump.follower')));
  });

  test('envi has the same keys', () => {
    const keys = (text: string): string[] => text.split('\n').map((line) => line.split('=')[0]!);
    expect(keys(ask('envi'))).toEqual(keys(golden('envi')));
  });

  test('conf has the same keys, alone and in an ensemble', () => {
    const keys = (text: string): string[] => text.split('\n').map((line) => line.split('=')[0]!);
    expect(keys(ask('conf'))).toEqual(keys(golden('conf')));
    const server = { 1: 'a:1:2;1', 2: 'b:1:2;1', 3: 'c:1:2;1' };
    const { config } = loadConfig({
      flags: { server, serverId: 3, 'quorum-auth-secret': '0123456789abcdef' },
      env: {},
    });
    const lines = configurationLines(config, { dataDirBytes: 1, dataLogDirBytes: 1 });
    expect(keys(ask('conf', { configurationLines: () => lines }))).toEqual(keys(golden('conf.leader')));
  });
});

describe('mntr', () => {
  const keys = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]!);
  const isGauge = (key: string): boolean =>
    !/^zk_(?:avg|min|max|cnt|sum|p\d+)_/.test(key) ||
    /_(latency|proposal_size|client_response_size)$|descriptor_count$/.test(key);
  const gaugesOf = (text: string): string[] => {
    const all = keys(text);
    return all.slice(0, all.indexOf('zk_proposal_count'));
  };

  test.each([
    ['mntr', {}],
    ['mntr.leader', LEADER],
    ['mntr.follower', { mode: 'follower', ensemble: { quorumSize: 3, peerState: 'following - broadcast' } }],
  ] as const)('%s: every gauge, in order', (name, changes) => {
    expect(gaugesOf(ask('mntr', changes))).toEqual(gaugesOf(golden(name)));
    expect(gaugesOf(golden(name)).every(isGauge)).toBe(true);
  });

  test('other metrics are a part of the recorded ones, in their order', () => {
    const recorded = keys(golden('mntr'));
    const ours = keys(ask('mntr'));
    expect(ours.filter((key) => !recorded.includes(key))).toEqual([]);
    expect(ours).toEqual(recorded.filter((key) => ours.includes(key)));
    expect(ours.length).toBeGreaterThan(200);
  });

  test('values are printed as Java prints them', () => {
    const lines = ask('mntr').split('\n');
    expect(lines).toContain('zk_avg_latency\t1.7143');
    expect(lines).toContain('zk_avg_fsynctime\t0.7143');
    expect(lines).toContain('zk_avg_election_time\t0.0');
    expect(lines).toContain('zk_connection_drop_probability\t0.0');
    expect(lines).toContain('zk_proposal_count\t5');
  });

  test('metrics of our own follow', () => {
    const percentiles = [1, 2, 3, 4] as const;
    const summaries = new Map([['event_loop_lag_ms', { count: 1, sum: 3, min: 3, max: 3, percentiles }]]);
    const lines = ask('mntr', { metrics: () => ({ counters: new Map([['op_count_get', 2]]), summaries }) }).split('\n');
    expect(lines).toContain('zk_op_count_get\t2');
    expect(lines.at(-2)).toBe('zk_p999_event_loop_lag_ms\t4');
  });
});

describe('rules', () => {
  test('a refused word is answered as ZooKeeper does', () => {
    expect(answerFourLetterWord('mntr', facts(), ['ruok'])).toBe(golden('refused'));
    expect(answerFourLetterWord('ruok', facts(), ['ruok'])).toBe('imok');
  });

  test('without quorum only some words have something to say', () => {
    const notServing = 'This ZooKeeper instance is not currently serving requests';
    for (const word of FOUR_LETTER_WORDS) {
      const expected: Partial<Record<FourLetterWord, string>> = {
        ruok: 'imok',
        isro: 'null',
        gtmk: '306',
        stmk: '0',
        hash: notServing,
      };
      if (word !== 'envi')
        expect([word, ask(word, { serving: false })]).toEqual([word, expected[word] ?? `${notServing}\n`]);
    }
    expect(ask('envi', { serving: false })).toContain('Environment:\n');
  });

  test('isro tells a read-only server', () => {
    expect(ask('isro', { readOnly: true })).toBe('ro');
  });

  test('stmk sets the mask that follows it, resets call back', () => {
    const calls: unknown[] = [];
    const changes: Partial<ServerFacts> = {
      setTraceMask: (mask) => calls.push(mask),
      resetServerStatistics: () => calls.push('srst'),
      resetConnectionStatistics: () => calls.push('crst'),
    };
    expect(ask('stmk', changes, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 10]))).toBe(golden('stmk'));
    expect(ask('stmk', changes, new Uint8Array(8).fill(255))).toBe('-1');
    ask('srst', changes);
    ask('crst', changes);
    expect(calls).toEqual([10n, -1n, 'srst', 'crst']);
  });

  test('words are told from the length of a frame', () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    for (const word of FOUR_LETTER_WORDS) expect(fourLetterWordAt(bytes(`xx${word}`), 2)).toBe(word);
    expect(fourLetterWordAt(bytes('kill'))).toBeUndefined();
    expect(fourLetterWordAt(bytes('ruo'))).toBeUndefined();
    expect(fourLetterWordAt(new Uint8Array([0, 0, 0, 45]))).toBeUndefined();
  });

  test('a session id is shown unsigned', () => {
    const watchesByPath = () => new Map([['/a', [-1n]]]);
    expect(ask('wchp', { watchesByPath })).toBe('/a\n\t0xffffffffffffffff\n\n');
  });

  test('the version looks like a release of ZooKeeper', () => {
    expect(/(\d+)\.(\d+)\.(\d+)-/.exec(ask('srvr'))?.slice(1)).toEqual(['3', '9', '5']);
    expect(facts().version).toBe('3.9.5-zabra-0.1.0, built on 2026-01-02 10:00 UTC');
  });
});
