// Where the servers of `zabra dev` live: ports on loopback, and a directory for each with its zoo.cfg and data.
//
//   DIR/1/zoo.cfg  DIR/1/data/  DIR/1/server.log      server 1, and so on; observers behind the voters
//
// The zoo.cfg is written anew at each start. Data stay; but not under another set of servers, for those that are new would
// be a majority without any data, and what the old ones had would be cut back to that.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export const LOOPBACK = '127.0.0.1';
/** From the first client port to the first quorum port, and to the first election port: 2181, 2888 and 3888. */
const QUORUM_OFFSET = 707;
const ELECTION_OFFSET = 1707;
const PORT_MAX = 65_535;
const SERVERS_MAX = 9;
const TICK_MS_MAX = 60_000;

export interface DevOptions {
  readonly servers: number;
  readonly observers: number;
  readonly directory: string;
  readonly port: number;
  readonly tickTimeMs: number;
}

export interface DevMember {
  readonly id: number;
  readonly isObserver: boolean;
  readonly directory: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

/** What is wrong with the options, in words for who gave them; undefined when nothing is. */
export function faultOf({ servers, observers, port, tickTimeMs }: DevOptions): string | undefined {
  const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
  if (!within(servers, 1, SERVERS_MAX)) return `--servers is a number from 1 to ${SERVERS_MAX}`;
  if (!within(observers, 0, SERVERS_MAX)) return `--observers is a number from 0 to ${SERVERS_MAX}`;
  if (!within(tickTimeMs, 1, TICK_MS_MAX)) return `--tick-time is a number of milliseconds, up to ${TICK_MS_MAX}`;
  const portMax = PORT_MAX - ELECTION_OFFSET - 2 * SERVERS_MAX;
  return within(port, 1, portMax) ? undefined : `--port is a number from 1 to ${portMax}`;
}

export function membersOf({ servers, observers, directory, port }: DevOptions): DevMember[] {
  return Array.from({ length: servers + observers }, (_, i) => {
    const own = join(directory, String(i + 1));
    return {
      id: i + 1,
      isObserver: i >= servers,
      directory: own,
      dataDir: join(own, 'data'),
      configFile: join(own, 'zoo.cfg'),
      logFile: join(own, 'server.log'),
      clientPort: port + i,
      quorumPort: port + QUORUM_OFFSET + i,
      electionPort: port + ELECTION_OFFSET + i,
    };
  });
}

export function connectStringOf(members: readonly DevMember[]): string {
  return members.map(({ clientPort }) => `${LOOPBACK}:${clientPort}`).join(',');
}

/** The text of a member's zoo.cfg. A server that is alone has no list of servers, as with ZooKeeper. */
export function zooCfgOf(member: DevMember, members: readonly DevMember[], tickTimeMs: number): string {
  const list = members.map(
    ({ id, isObserver, clientPort, quorumPort, electionPort }) =>
      `server.${id}=${LOOPBACK}:${quorumPort}:${electionPort}:${isObserver ? 'observer' : 'participant'};${LOOPBACK}:${clientPort}`,
  );
  const alone = [`clientPort=${member.clientPort}`, `clientPortAddress=${LOOPBACK}`];
  return [
    '# Written by `zabra dev`, anew at each start.',
    `tickTime=${tickTimeMs}`,
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${member.dataDir}`,
    'maxClientCnxns=0',
    'admin.enableServer=false',
    ...(members.length > 1 ? list : alone),
    '',
  ].join('\n');
}

/** Writes what the servers are started from. Throws Error, for people, when the directory belongs to others. */
export function prepare(members: readonly DevMember[], { directory, tickTimeMs }: DevOptions): void {
  const roles = members.map(({ isObserver }) => (isObserver ? 'observer' : 'participant')).join(' ');
  const rolesFile = join(directory, 'servers');
  const known = existsSync(rolesFile) ? readFileSync(rolesFile, 'utf8').trim() : roles;
  if (known !== roles) {
    const count = (role: string) => known.split(' ').filter((word) => word === role).length;
    const was = `--servers ${count('participant')}${count('observer') > 0 ? ` --observers ${count('observer')}` : ''}`;
    throw new Error(`${directory} holds the data of ${was}: say that, choose another --dir, or remove it`);
  }
  for (const member of members) {
    mkdirSync(member.dataDir, { recursive: true });
    writeFileSync(member.configFile, zooCfgOf(member, members, tickTimeMs));
    writeFileSync(join(member.dataDir, 'myid'), `${member.id}\n`);
  }
  writeFileSync(rolesFile, `${roles}\n`);
}

/** The first of the members' ports that cannot be had, or undefined. */
export async function takenPort(members: readonly DevMember[]): Promise<number | undefined> {
  for (const { clientPort, quorumPort } of members) {
    for (const port of members.length > 1 ? [clientPort, quorumPort] : [clientPort]) {
      if (!(await isFree(port))) return port;
    }
  }
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}
