// The commands of the HTTP admin port (reference A9): each is a function from facts to the fields of its JSON answer, in
// one table, under ZooKeeper's names and aliases and with its field names. Commands that change something are named
// here only to say what does it instead: whoever reaches this port without a login may look and nothing else. Snapshot
// and restore, which ask for one, are in transfers.ts.

import { counterOf, epochOf, hex } from '../../../protocol/ids.js';
import { redactedConfig, type ServerConfig } from '../config/index.js';
import { OPTIONS, type OptionKey } from '../config/options.js';
import { mntrPairs } from './mntr.js';
import type { ConnectionFacts, MemberFacts, ServerFacts } from './server-facts.js';

type Fields = Readonly<Record<string, unknown>>;

/** One command. Bigints among its fields are for toJson to write. */
export interface AdminCommand {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Whether it has an answer while no clients are served. */
  readonly always: boolean;
  readonly answer: (facts: ServerFacts, config: ServerConfig) => Fields;
}

function command(names: string, answer: AdminCommand['answer'], { always = false } = {}): AdminCommand {
  const [name, ...aliases] = names.split('|') as [string, ...string[]];
  return { name, aliases, always, answer };
}

/** Those that are answered, in the order they are listed. */
export const ADMIN_COMMANDS: readonly AdminCommand[] = [
  command('configuration|conf|config', (facts) => configuration(facts.configurationLines())),
  command('connections|cons', (facts) => listed(facts, detailed)),
  command('dirs', (facts) => {
    const { dataDirBytes, dataLogDirBytes } = facts.directories();
    return { datadir_size: dataDirBytes, logdir_size: dataLogDirBytes };
  }),
  command('dump', (facts) => {
    const { sessionBuckets = [], globalSessions, ephemerals } = facts.dump();
    return {
      expiry_time_to_session_ids: byKey(sessionBuckets, ({ expiresAtMs, members }) => [expiresAtMs, members]),
      session_id_to_ephemeral_paths: byKey(ephemerals, ({ sessionId, paths }) => [sessionId, paths]),
      ...(globalSessions === undefined
        ? {}
        : { global_sessions: byKey(globalSessions, ({ sessionId, timeoutMs }) => [sessionId, timeoutMs]) }),
    };
  }),
  command('environment|env|envi', (facts) => Object.fromEntries(facts.environment()), { always: true }),
  command('get_trace_mask|gtmk', (facts) => ({ tracemask: facts.traceMask }), { always: true }),
  command('hash', (facts) => ({ digests: facts.digests() })),
  command('initial_configuration|icfg', (_, config) => ({
    initial_configuration: Object.entries(redactedConfig(config))
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  })),
  command('is_read_only|isro', (facts) => ({ read_only: facts.readOnly })),
  command('last_snapshot|lsnp', (facts) => {
    const snapshot = facts.lastSnapshot();
    return snapshot === undefined
      ? { zxid: NO_ZXID, timestamp: -1 }
      : { zxid: snapshot.zxid.toString(16), timestamp: Math.floor(snapshot.timeMs / 1000) };
  }),
  // ZooKeeper says nothing about a server on its own; it leads in every sense a script may ask for.
  command('leader|lead', (facts) => ({ is_leader: facts.mode === 'leader' || facts.mode === 'standalone' })),
  command('monitor|mntr', (facts) =>
    Object.fromEntries(mntrPairs(facts).map(([name, value]) => [name, numberIfOne(value)])),
  ),
  command('observers|obsr', (facts) => {
    const observers = facts.observers();
    return { synced_observers: observers.length, observers };
  }),
  command('ruok', () => ({}), { always: true }),
  command('server_stats|srvr', serverStatistics),
  command('stats|stat', (facts) => ({
    ...serverStatistics(facts),
    ...listed(facts, brief),
  })),
  command('system_properties|sysp', (facts, config) => systemProperties(facts, config), { always: true }),
  command('voting_view', (facts) => ({
    current_config: byKey(
      facts.members().filter(({ role }) => role === 'participant'),
      (member) => [member.id, memberView(member)],
    ),
  })),
  command('watches|wchc', (facts) => ({ session_id_to_watched_paths: watchedPaths(facts) })),
  command('watches_by_path|wchp', (facts) => ({ path_to_session_ids: Object.fromEntries(facts.watchesByPath()) })),
  command('watch_summary|wchs', (facts) => {
    const watches = facts.watchesByPath();
    const watchers = [...watches.values()].flat();
    return {
      num_connections: new Set(watchers).size,
      num_paths: watches.size,
      num_total_watches: watchers.length,
    };
  }),
  command('zabstate', zabState, { always: true }),
];

/** What ZooKeeper offers and this port refuses, with what to do instead. */
const REFUSED: readonly (readonly [names: string, instead: string])[] = [
  ['connection_stat_reset|crst', 'the four-letter word crst does it, where 4lw.commands.whitelist has it'],
  ['stat_reset|srst', 'the four-letter word srst does it, where 4lw.commands.whitelist has it'],
  ['set_trace_mask|stmk', 'the four-letter word stmk does it, where 4lw.commands.whitelist has it'],
];

/** What ZooKeeper says in place of a zxid: -1 as an unsigned number. */
const NO_ZXID = 'ffffffffffffffff';

const BY_NAME: ReadonlyMap<string, AdminCommand> = new Map(
  ADMIN_COMMANDS.flatMap((one) => [one.name, ...one.aliases].map((name) => [name, one] as const)),
);
const REFUSED_BY_NAME: ReadonlyMap<string, string> = new Map(
  REFUSED.flatMap(([names, instead]) => names.split('|').map((name) => [name, instead] as const)),
);

/** By its name or an alias; undefined for what is not offered. */
export function findAdminCommand(name: string): AdminCommand | undefined {
  return BY_NAME.get(name);
}

/** What to do instead of a command that would change something; undefined when the name is none of those. */
export function refusalOf(name: string): string | undefined {
  return REFUSED_BY_NAME.get(name);
}

/** 64-bit numbers that a reader with doubles would round are written as decimal text, all others as numbers. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? numberIfExact(inner) : inner), 2)}\n`;
}

function numberIfExact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function numberIfOne(value: string | number): string | number {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

/** `clientPort=2181` becomes `client_port: 2181`; a directory stays text; the ensemble is listed line by line. */
function configuration(lines: readonly string[]): Fields {
  const start = lines.findIndex((line) => line.startsWith('membership:'));
  const own = start < 0 ? lines : lines.slice(0, start);
  const pairs = own.map((line) => {
    const [key = '', ...rest] = line.split('=');
    const value = rest.join('=');
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [name, key.endsWith('Dir') ? value : numberIfOne(value)] as const;
  });
  return { ...Object.fromEntries(pairs), ...(start < 0 ? {} : { membership: lines.slice(start + 1) }) };
}

function serverStatistics(facts: ServerFacts): Fields {
  const { leader } = facts;
  const { dataDirBytes, dataLogDirBytes } = facts.directories();
  const clientResponse = {
    last_buffer_size: facts.lastClientResponseBytes,
    min_buffer_size: facts.minClientResponseBytes,
    max_buffer_size: facts.maxClientResponseBytes,
  };
  return {
    version: facts.version,
    read_only: facts.readOnly,
    server_stats: {
      packets_sent: facts.packetsSent,
      packets_received: facts.packetsReceived,
      min_latency: facts.minLatencyMs,
      avg_latency: facts.averageLatencyMs,
      max_latency: facts.maxLatencyMs,
      client_response_stats: clientResponse,
      server_state: facts.mode,
      num_alive_client_connections: facts.connections.length,
      outstanding_requests: facts.outstandingRequests,
      last_processed_zxid: facts.zxid,
      data_dir_size: dataDirBytes,
      log_dir_size: dataLogDirBytes,
      auth_failed_count: facts.authFailures,
      uptime: facts.uptimeMs,
    },
    client_response: clientResponse,
    ...(leader === undefined
      ? {}
      : {
          proposal_stats: {
            last_buffer_size: leader.lastProposalBytes,
            min_buffer_size: leader.minProposalBytes,
            max_buffer_size: leader.maxProposalBytes,
          },
        }),
    node_count: facts.nodeCount,
  };
}

/** The options a server runs with, as the properties that would set them in ZooKeeper, and what `environment` tells. */
function systemProperties(facts: ServerFacts, config: ServerConfig): Fields {
  const shown = redactedConfig(config);
  const options = (Object.keys(OPTIONS) as OptionKey[]).flatMap((key) => {
    const value = shown[key];
    return value === undefined ? [] : [[`zookeeper.${OPTIONS[key].names[0]}`, value] as const];
  });
  return Object.fromEntries([...options, ...facts.environment()].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function memberView({ serverAddresses, electionAddresses, clientAddress, role }: MemberFacts): Fields {
  return { serverAddresses, electionAddresses, clientAddress, learnerType: role };
}

/** A server on its own is in no phase of Zab, and has nobody to vote with. */
function zabState(facts: ServerFacts): Fields {
  const { zab } = facts;
  if (zab === undefined) return { voting: false, zabstate: '' };
  const own = facts.members().find(({ id }) => id === zab.id);
  const zxid = Number(facts.zxid);
  return {
    myid: zab.id,
    is_leader: facts.mode === 'leader',
    quorum_address: own?.serverAddresses[0] ?? '',
    election_address: own?.electionAddresses[0] ?? '',
    client_address: own?.clientAddress ?? '',
    voting: own?.role === 'participant',
    last_zxid: hex(facts.zxid),
    zab_epoch: epochOf(zxid),
    zab_counter: counterOf(zxid),
    zabstate: zab.phase,
  };
}

/** Plain ones and those over TLS, as ZooKeeper keeps them apart here. */
function listed({ connections }: ServerFacts, show: (connection: ConnectionFacts) => Fields): Fields {
  return {
    connections: connections.filter(({ secure }) => secure !== true).map(show),
    secure_connections: connections.filter(({ secure }) => secure === true).map(show),
  };
}

function brief({ address, port, interestOps, queued, received, sent }: ConnectionFacts): Fields {
  return {
    remote_socket_address: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    interest_ops: interestOps,
    outstanding_requests: queued,
    packets_received: received,
    packets_sent: sent,
  };
}

function detailed(connection: ConnectionFacts): Fields {
  const { session } = connection;
  if (session === undefined) return brief(connection);
  return {
    ...brief(connection),
    session_id: session.sessionId,
    last_operation: session.lastOperation,
    established: session.establishedMs,
    session_timeout: session.timeoutMs,
    last_cxid: session.lastCxid,
    last_zxid: session.lastZxid,
    last_response_time: session.lastResponseMs,
    last_latency: session.lastLatencyMs,
    min_latency: session.minLatencyMs,
    avg_latency: session.averageLatencyMs,
    max_latency: session.maxLatencyMs,
  };
}

function watchedPaths(facts: ServerFacts): Fields {
  const bySession = new Map<string, string[]>();
  for (const [path, sessionIds] of facts.watchesByPath()) {
    for (const sessionId of sessionIds.map(String)) {
      const paths = bySession.get(sessionId);
      if (paths === undefined) bySession.set(sessionId, [path]);
      else paths.push(path);
    }
  }
  return Object.fromEntries(bySession);
}

function byKey<T>(items: readonly T[], pair: (item: T) => readonly [key: bigint | number, value: unknown]): Fields {
  return Object.fromEntries(
    items.map((item) => {
      const [key, value] = pair(item);
      return [String(key), value];
    }),
  );
}
