// The lines that say who the ensemble is: `server.N`, `group.N`, `weight.N` and `version`, from zoo.cfg or from the
// dynamic file that reconfig leaves behind (reference B1).
//
//   server.1=host:quorumPort:electionPort[:role][|host:quorumPort:electionPort…][;[address:]clientPort[;[address:]securePort]]

import { ConfigError, type Origin } from './errors.js';

/** A place to listen on or to connect to. An IPv6 address stands without its brackets. */
export interface HostPort {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** One way to reach a server for its peers. */
export interface PeerAddress {
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
}

/** One member of the ensemble. */
export interface ServerSpec {
  readonly id: number;
  /** At least one; the first is the one used. */
  readonly addresses: readonly PeerAddress[];
  readonly role: 'participant' | 'observer';
  readonly client: HostPort | undefined;
  readonly secureClient: HostPort | undefined;
  /** Hierarchical quorum: its group, or undefined when there are no groups. */
  readonly group: number | undefined;
  /** Its votes; 1 unless given, 0 for one whose acknowledgement does not count. */
  readonly weight: number;
}

/** Who the ensemble is. Without servers it is a server on its own. */
export interface Ensemble {
  /** By rising id. */
  readonly servers: readonly ServerSpec[];
  /** Of the configuration; 0 until the first reconfig. */
  readonly version: bigint;
}

/** One line, its name without the prefix `zookeeper.`. */
export interface EnsembleLine {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
}

/** Session ids have the server id in their top byte, and 0xff there marks the owner of a TTL node (E6). */
const SERVER_ID_MAX = 254;
const ADDRESS = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+):(\d+)(?::(\w+))?$/;
const CLIENT = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/;
const SERVER_FORM = 'write host:quorumPort:electionPort[:participant|observer][;[address:]clientPort]';

/** Reads the lines of one source. Throws ConfigError for a line that cannot be meant, a duplicate, a missing group. */
export function parseEnsemble(lines: readonly EnsembleLine[]): Ensemble {
  const servers = new Map<number, { spec: ServerSpec; line: EnsembleLine }>();
  const groups = new Map<number, number>();
  const weights = new Map<number, number>();
  let version = 0n;
  for (const line of lines) {
    const [kind, number = ''] = line.name.split('.', 2);
    if (kind === 'version') {
      version = readVersion(line);
      continue;
    }
    const id = readId(line, number, kind === 'group' ? Number.MAX_SAFE_INTEGER : SERVER_ID_MAX);
    if (kind === 'server') {
      if (servers.has(id)) throw wrong(line, `server ${id} is given twice`, 'remove or renumber one of the lines');
      servers.set(id, { spec: parseServer(line, id), line });
    } else if (kind === 'group') {
      for (const member of line.value.split(':')) {
        const memberId = readId(line, member.trim(), SERVER_ID_MAX);
        if (groups.has(memberId)) throw wrong(line, `server ${memberId} is in two groups`, 'leave it in one');
        groups.set(memberId, id);
      }
    } else {
      weights.set(id, readWeight(line));
    }
  }
  for (const { spec, line } of servers.values()) {
    if (groups.size > 0 && spec.role === 'participant' && !groups.has(spec.id)) {
      throw wrong(line, `server ${spec.id} is in no group`, 'add it to a group.N line, or remove all groups');
    }
  }
  const specs = [...servers.values()].map(({ spec }) => ({
    ...spec,
    group: groups.get(spec.id),
    weight: weights.get(spec.id) ?? 1,
  }));
  return { servers: specs.sort((left, right) => left.id - right.id), version };
}

function parseServer(line: EnsembleLine, id: number): ServerSpec {
  const [peers = '', client, secureClient, ...more] = line.value.split(';');
  if (more.length > 0) throw wrong(line, 'has more than two client addresses', SERVER_FORM);
  let role: ServerSpec['role'] = 'participant';
  const addresses = peers.split('|').map((address) => {
    const match = ADDRESS.exec(address.trim());
    if (match === null) throw wrong(line, `'${address.trim()}' is not the address of a server`, SERVER_FORM);
    const [, ipv6, name, quorumPort, electionPort, roleWord] = match;
    if (roleWord !== undefined) role = readRole(line, roleWord);
    return {
      host: (ipv6 ?? name)!,
      quorumPort: readPort(line, quorumPort!),
      electionPort: readPort(line, electionPort!),
    };
  });
  for (const { quorumPort, electionPort } of addresses) {
    if (quorumPort === electionPort) {
      throw wrong(line, `has port ${quorumPort} for quorum and election`, 'give it two different ports');
    }
  }
  return {
    id,
    addresses,
    role,
    client: client === undefined ? undefined : parseClient(line, client),
    secureClient: secureClient === undefined ? undefined : parseClient(line, secureClient),
    group: undefined,
    weight: 1,
  };
}

function parseClient(line: EnsembleLine, text: string): HostPort | undefined {
  if (text.trim() === '') return undefined;
  const match = CLIENT.exec(text.trim());
  if (match === null) throw wrong(line, `'${text.trim()}' is not a client address`, SERVER_FORM);
  const [, ipv6, name, port] = match;
  const host = ipv6 ?? name;
  return { host: host === '0.0.0.0' || host === '::' ? undefined : host, port: readPort(line, port!) };
}

function readRole(line: EnsembleLine, word: string): ServerSpec['role'] {
  const role = word.toLowerCase();
  if (role === 'participant' || role === 'observer') return role;
  throw wrong(line, `'${word}' is not a role`, 'write participant or observer');
}

function readPort(line: EnsembleLine, digits: string): number {
  const port = Number(digits);
  if (port < 1 || port > 65535) throw wrong(line, `${digits} is not a port`, 'write a number from 1 to 65535');
  return port;
}

function readId(line: EnsembleLine, digits: string, max: number): number {
  const id = Number(digits);
  if (/^\d+$/.test(digits) && id <= max) return id;
  throw wrong(line, `'${digits}' is not a number from 0 to ${max}`, 'name servers as server.1, server.2, …');
}

function readWeight(line: EnsembleLine): number {
  if (/^\d{1,9}$/.test(line.value)) return Number(line.value);
  throw wrong(line, `'${line.value}' is not a weight`, 'write a whole number, 0 for a server that does not count');
}

function readVersion(line: EnsembleLine): bigint {
  if (/^[0-9a-fA-F]{1,16}$/.test(line.value)) return BigInt(`0x${line.value}`);
  throw wrong(line, `'${line.value}' is not a version`, 'write it in hexadecimal digits, as reconfig does');
}

function wrong(line: EnsembleLine, problem: string, remedy: string): ConfigError {
  return new ConfigError({ origin: line.origin, key: line.name, problem, remedy });
}

/** `server.1=host:2888:3888:participant;0.0.0.0:2181`, as ZooKeeper writes it into the dynamic file and `conf`. */
export function formatServer(server: ServerSpec): string {
  const addresses = server.addresses.map(
    ({ host, quorumPort, electionPort }) => `${bracketed(host)}:${quorumPort}:${electionPort}`,
  );
  const client = server.client === undefined ? '' : formatHostPort(server.client);
  const secure = server.secureClient === undefined ? '' : `;${formatHostPort(server.secureClient)}`;
  const tail = client === '' && secure === '' ? '' : `;${client}${secure}`;
  return `server.${server.id}=${addresses.join('|')}:${server.role}${tail}`;
}

function formatHostPort({ host, port }: HostPort): string {
  return `${bracketed(host ?? '0.0.0.0')}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The lines of the dynamic file: servers, groups and weights where they say something, version. */
export function formatEnsemble({ servers, version }: Ensemble): string[] {
  const groups = new Map<number, number[]>();
  for (const { id, group } of servers) {
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), id]);
  }
  return [
    ...servers.map(formatServer),
    ...[...groups].map(([group, ids]) => `group.${group}=${ids.join(':')}`),
    ...servers.filter((server) => server.weight !== 1).map((server) => `weight.${server.id}=${server.weight}`),
    `version=${version.toString(16)}`,
  ];
}
