// Four letters on a fresh connection ask a server how it is (reference A8). Monitors parse the answers, so they have
// ZooKeeper's lines, keys and order to the letter; test/golden/four-letter-words has what the real one says.
//
// A word is recognised before a session exists (E1). Each is a function from facts to text, in one table.

import { javaDouble, mntrLines } from './mntr.js';
import type { ConnectionFacts, DumpFacts, ExpiryBucket, ServerFacts } from './server-facts.js';

/** All words; the nineteenth in ZooKeeper's table is telnet's interrupt, a bad length here as there: it hangs up. */
export const FOUR_LETTER_WORDS = [
  'conf',
  'cons',
  'crst',
  'dirs',
  'dump',
  'envi',
  'gtmk',
  'hash',
  'isro',
  'mntr',
  'ruok',
  'srst',
  'srvr',
  'stat',
  'stmk',
  'wchc',
  'wchp',
  'wchs',
] as const;

export type FourLetterWord = (typeof FOUR_LETTER_WORDS)[number];

/** `stmk` is followed by its mask. */
export const TRACE_MASK_BYTES = 8;

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const WORDS_BY_NUMBER: ReadonlyMap<number, FourLetterWord> = new Map(
  FOUR_LETTER_WORDS.map((word) => [
    numberOf(
      [...word].map((letter) => letter.charCodeAt(0)),
      0,
    ),
    word,
  ]),
);

function numberOf(bytes: ArrayLike<number>, offset: number): number {
  return bytes[offset]! * 2 ** 24 + bytes[offset + 1]! * 2 ** 16 + bytes[offset + 2]! * 2 ** 8 + bytes[offset + 3]!;
}

/** The word at an offset, or undefined for a frame's length or too few bytes. */
export function fourLetterWordAt(bytes: Uint8Array, offset = 0): FourLetterWord | undefined {
  return bytes.length - offset < 4 ? undefined : WORDS_BY_NUMBER.get(numberOf(bytes, offset));
}

/**
 * The answer, after which the connection is closed. `whitelist` has the words that are answered, `*` for all; with
 * read-only mode on, the server adds `isro`. `payload` is the mask behind `stmk`, TRACE_MASK_BYTES long. Resets and the mask take effect
 * through the callbacks among the facts.
 */
export function answerFourLetterWord(
  word: FourLetterWord,
  facts: ServerFacts,
  whitelist: readonly string[],
  payload: Uint8Array = new Uint8Array(TRACE_MASK_BYTES),
): string {
  if (!whitelist.includes('*') && !whitelist.includes(word)) {
    return `${word} is not executed because it is not in the whitelist.\n`;
  }
  return facts.serving ? ANSWERS[word](facts, payload) : (whileNotServing(word, facts, payload) ?? `${NOT_SERVING}\n`);
}

function whileNotServing(word: FourLetterWord, facts: ServerFacts, payload: Uint8Array): string | undefined {
  if (word === 'isro') return 'null';
  if (word === 'hash') return NOT_SERVING;
  return word === 'ruok' || word === 'envi' || word === 'gtmk' || word === 'stmk'
    ? ANSWERS[word](facts, payload)
    : undefined;
}

const ANSWERS: Readonly<Record<FourLetterWord, (facts: ServerFacts, payload: Uint8Array) => string>> = {
  conf: (facts) => configuration(facts.configurationLines()),
  cons: (facts) => `${lines(facts.connections.map((connection) => ` ${detailed(connection)}`))}\n`,
  crst: (facts) => {
    facts.resetConnectionStatistics();
    return 'Connection stats reset.\n';
  },
  dirs: (facts) => {
    const { dataDirBytes, dataLogDirBytes } = facts.directories();
    return lines([`datadir_size: ${dataDirBytes}`, `logdir_size: ${dataLogDirBytes}`]);
  },
  dump: (facts) => dump(facts.dump()),
  envi: (facts) => lines(['Environment:', ...facts.environment().map(([key, value]) => `${key}=${value}`)]),
  gtmk: (facts) => facts.traceMask.toString(),
  hash: (facts) => lines(facts.digests().map(({ zxid, digest }) => `${zxid.toString(16)}: ${digest}`)),
  isro: (facts) => (facts.readOnly ? 'ro' : 'rw'),
  mntr: (facts) => lines(mntrLines(facts)),
  ruok: () => 'imok',
  srst: (facts) => {
    facts.resetServerStatistics();
    return 'Server stats reset.\n';
  },
  srvr: (facts) => lines([`Zookeeper version: ${facts.version}`, ...statistics(facts)]),
  stat: (facts) =>
    lines([
      `Zookeeper version: ${facts.version}`,
      'Clients:',
      ...facts.connections.map((connection) => ` ${brief(connection)})`),
      '',
      ...statistics(facts),
    ]),
  stmk: (facts, payload) => {
    const unsigned = [...payload.subarray(0, TRACE_MASK_BYTES)].reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
    const mask = BigInt.asIntN(64, unsigned);
    facts.setTraceMask(mask);
    return mask.toString();
  },
  wchc: (facts) => {
    const bySession = new Map<bigint, string[]>();
    for (const [path, sessionIds] of facts.watchesByPath()) {
      for (const sessionId of sessionIds) {
        const paths = bySession.get(sessionId);
        if (paths === undefined) bySession.set(sessionId, [path]);
        else paths.push(path);
      }
    }
    return lines([...[...bySession].flatMap(([id, paths]) => [hex(id), ...paths.map(indented)]), '']);
  },
  wchp: (facts) =>
    lines([...[...facts.watchesByPath()].flatMap(([path, ids]) => [path, ...ids.map((id) => indented(hex(id)))]), '']),
  wchs: (facts) => {
    const watches = facts.watchesByPath();
    const total = [...watches.values()].reduce((sum, ids) => sum + ids.length, 0);
    const sessions = new Set([...watches.values()].flat());
    return lines([`${sessions.size} connections watching ${watches.size} paths`, `Total watches:${total}`]);
  },
};

/** ZooKeeper ends the last line of an ensemble's configuration, the version, without a line end. */
function configuration(entries: readonly string[]): string {
  return entries.some((entry) => entry.startsWith('membership:')) ? entries.join('\n') : lines(entries);
}

function statistics(facts: ServerFacts): string[] {
  const { leader } = facts;
  return [
    `Latency min/avg/max: ${facts.minLatencyMs}/${javaDouble(facts.averageLatencyMs)}/${facts.maxLatencyMs}`,
    `Received: ${facts.packetsReceived}`,
    `Sent: ${facts.packetsSent}`,
    `Connections: ${facts.connections.length}`,
    `Outstanding: ${facts.outstandingRequests}`,
    `Zxid: ${hex(facts.zxid)}`,
    `Mode: ${facts.mode}`,
    `Node count: ${facts.nodeCount}`,
    ...(leader === undefined
      ? []
      : [
          `Proposal sizes last/min/max: ${leader.lastProposalBytes}/${leader.minProposalBytes}/${leader.maxProposalBytes}`,
        ]),
  ];
}

function brief({ address, port, interestOps, queued, received, sent }: ConnectionFacts): string {
  return `/${hostText(address)}:${port}[${interestOps}](queued=${queued},recved=${received},sent=${sent}`;
}

function detailed(connection: ConnectionFacts): string {
  const { session } = connection;
  if (session === undefined) return `${brief(connection)})`;
  const pairs = [
    `sid=${hex(session.sessionId)}`,
    `lop=${session.lastOperation}`,
    `est=${session.establishedMs}`,
    `to=${session.timeoutMs}`,
    `lcxid=${hex(BigInt(session.lastCxid))}`,
    `lzxid=${hex(session.lastZxid)}`,
    `lresp=${session.lastResponseMs}`,
    `llat=${session.lastLatencyMs}`,
    `minlat=${session.minLatencyMs}`,
    `avglat=${Math.floor(session.averageLatencyMs)}`,
    `maxlat=${session.maxLatencyMs}`,
  ];
  return `${brief(connection)},${pairs.join(',')})`;
}

function dump({ sessionBuckets, globalSessions, ephemerals, connectionBuckets }: DumpFacts): string {
  return lines([
    'SessionTracker dump:',
    ...(globalSessions === undefined
      ? bucketLines('Session Sets', sessionBuckets ?? [], hex)
      : [
          `Global Sessions(${globalSessions.length}):`,
          ...globalSessions.map(({ sessionId, timeoutMs }) => `${hex(sessionId)}\t${timeoutMs}ms`),
        ]),
    'ephemeral nodes dump:',
    `Sessions with Ephemerals (${ephemerals.length}):`,
    ...ephemerals.flatMap(({ sessionId, paths }) => [`${hex(sessionId)}:`, ...paths.map(indented)]),
    'Connections dump:',
    ...bucketLines(
      'Connections Sets',
      connectionBuckets,
      ({ address, port, session }) => `ip: /${hostText(address)}:${port} sessionId: ${hex(session?.sessionId ?? 0n)}`,
    ),
  ]);
}

function bucketLines<T>(title: string, buckets: readonly ExpiryBucket<T>[], show: (member: T) => string): string[] {
  const total = buckets.reduce((sum, { members }) => sum + members.length, 0);
  return [
    `${title} (${buckets.length})/(${total}):`,
    ...buckets.flatMap(({ expiresAtMs, members }) => [
      `${members.length} expire at ${javaDate(expiresAtMs)}:`,
      ...members.map((member) => indented(show(member))),
    ]),
  ];
}

/** As Java's Date prints itself in UTC: `Tue Nov 24 21:54:43 UTC 2026`. */
function javaDate(timeMs: number): string {
  const [weekday, day, month, year, time] = new Date(timeMs).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}

/** Session ids and zxids are unsigned there: -1 is 0xffffffffffffffff. */
function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function indented(text: string): string {
  return `\t${text}`;
}

function lines(entries: readonly string[]): string {
  return entries.map((entry) => `${entry}\n`).join('');
}

/**
 * `3.9.5-zabra-0.1.0, built on 2026-01-02 10:00 UTC`: monitors take the release from the first three numbers. The
 * release is that of the ZooKeeper whose behaviour this server has.
 */
export function versionText(zabraVersion: string, builtAt: Date): string {
  return `3.9.5-zabra-${zabraVersion}, built on ${builtAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
