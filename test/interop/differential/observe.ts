/**
 * Runs the steps of a test case against one server and writes down all that comes back, with everything that may
 * differ from run to run replaced by something that may not:
 *
 * - zxids in Stats become their rank among all of the run; those in reply headers are only checked not to go back,
 *   and a reply to a write says whether it brought a new zxid (E38);
 * - session ids become the number of the session, times 'now' (after a check that they are near);
 * - lists without a defined order are sorted, and so are the events of a closed session (E58).
 */
import type { ServerUnderTest } from '../../helpers/processes.js';
import type { Fields, Value } from '../wire/jute.js';
import { XID } from '../wire/operations.js';
import { connectFrame, RawConnection, type Received } from '../wire/raw-connection.js';
import { LAST_ZXID, type Request, type Step } from './steps.js';

/** One frame as it is compared. `from` is the number of the session, or 'own' for a connection of its own. */
export interface Seen {
  readonly from: number | 'own';
  readonly kind: 'connect' | 'event' | 'reply' | 'closed' | 'silence';
  readonly op?: string;
  readonly err?: number;
  readonly freshZxid?: boolean;
  readonly body?: unknown;
}

export interface Observation {
  readonly step: Step;
  readonly seen: readonly Seen[];
}

const ANSWER_TIMEOUT_MS = 4000;
const SESSION_TIMEOUT_MS = 300_000;
const NEAR_MS = 120_000;
const WRITES = new Set<string>([
  'create',
  'create2',
  'createContainer',
  'createTTL',
  'delete',
  'setData',
  'setACL',
  'multi',
  'closeSession',
]);
const UNORDERED = new Set(['children', 'ephemerals', 'clientInfo']);

interface Session {
  connection: RawConnection;
  readonly id: bigint;
  readonly passwd: Uint8Array;
  lastZxid: bigint;
}

/** E58: the nodes of a closed session are deleted in no defined order. Only events side by side change places. */
function sortEvents(seen: readonly Seen[]): Seen[] {
  const sorted: Seen[] = [];
  for (let i = 0; i < seen.length; ) {
    const end = seen.findIndex(({ kind, from }, j) => j >= i && (kind !== 'event' || from !== seen[i].from));
    const run = seen.slice(i, end === -1 ? seen.length : Math.max(end, i + 1));
    sorted.push(...run.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))));
    i += run.length;
  }
  return sorted;
}

class Observer {
  private readonly sessions = new Map<number, Session>();
  private readonly labels = new Map<bigint, string>();
  private sessionCount = 0;
  private highestZxid = 0n;

  constructor(
    private readonly port: number,
    private readonly restart: () => Promise<void>,
  ) {}

  async run(step: Step): Promise<Seen[]> {
    if (step.kind === 'restart') return this.restarted();
    if (step.kind === 'handshake') return this.handshake(step.options);
    if (step.kind === 'bytes') return [...(await this.bytes(step.bytes)), ...(await this.barrier())];
    const seen: Seen[] = [];
    const session = await this.session(step.session, seen);
    if (session === undefined) return seen;
    if (step.kind === 'requests') seen.push(...(await this.requests(step.session, session, step.requests)));
    if (step.kind === 'resume') {
      session.connection.destroy();
      seen.push(...(await this.resume(step.session, session)));
    }
    if (step.kind === 'close') {
      seen.push(...(await this.requests(step.session, session, [{ op: 'closeSession', fields: {} }])));
      seen.push(...(await this.drain(step.session, session.connection)));
      this.sessions.delete(step.session);
    }
    seen.push(...(await this.barrier()));
    return step.kind === 'close' ? sortEvents(seen) : seen;
  }

  /** Ends all sessions, so that a later case on the same server meets nothing of this one but its lasting nodes. */
  async end(): Promise<void> {
    for (const { connection } of this.sessions.values()) {
      await connection.exchange('closeSession');
      connection.destroy();
    }
  }

  /** The live session of this number: opened, or resumed when the server had closed its connection. */
  private async session(number: number, seen: Seen[]): Promise<Session | undefined> {
    const known = this.sessions.get(number);
    if (known !== undefined) return known;
    const { connection, session } = await RawConnection.session(this.port, {
      timeOut: SESSION_TIMEOUT_MS,
      readOnly: false,
    });
    const id = BigInt(session.sessionId as bigint);
    this.labels.set(id, `session ${++this.sessionCount}`);
    const opened = { connection, id, passwd: session.passwd as Uint8Array, lastZxid: 0n };
    this.sessions.set(number, opened);
    seen.push({ from: number, kind: 'connect', body: this.mask(session) });
    return opened;
  }

  private async resume(number: number, session: Session): Promise<Seen[]> {
    session.connection = await RawConnection.open(this.port);
    const { id, passwd, lastZxid } = session;
    session.connection.write(
      connectFrame({
        sessionId: id,
        passwd,
        lastZxidSeen: lastZxid,
        timeOut: SESSION_TIMEOUT_MS,
        readOnly: false,
      }),
    );
    const answer = await this.next(session.connection);
    const refused = answer === 'silence' || answer.kind !== 'connect' || answer.body.timeOut === 0;
    if (refused) this.sessions.delete(number);
    return [this.see(number, answer)];
  }

  private async requests(number: number, session: Session, requests: readonly Request[]): Promise<Seen[]> {
    const { connection } = session;
    const prepared = requests.map(({ op, fields, parts }) => {
      const last = fields.relativeZxid === LAST_ZXID ? { ...fields, relativeZxid: session.lastZxid } : fields;
      return connection.prepare(op, last, parts && { parts });
    });
    connection.write(Buffer.concat(prepared.map(({ frame }) => frame)));
    const seen: Seen[] = [];
    let replies = 0;
    while (replies < requests.length) {
      const next = await this.next(connection);
      seen.push(this.see(number, next, session));
      if (next === 'silence') break;
      if (next.kind === 'reply') replies++;
      if (next.kind === 'closed') {
        if (requests[0].op !== 'closeSession') seen.push(...(await this.resume(number, session)));
        break;
      }
    }
    return seen;
  }

  private async restarted(): Promise<Seen[]> {
    await this.restart();
    const seen: Seen[] = [];
    for (const [number, session] of [...this.sessions].sort(([a], [b]) => a - b)) {
      session.connection.destroy();
      seen.push(...(await this.resume(number, session)));
    }
    return seen;
  }

  /** Pings every connection and collects what comes before the answer. */
  private async barrier(): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const [number, session] of [...this.sessions].sort(([a], [b]) => a - b)) {
      session.connection.write(session.connection.prepare('ping').frame);
      for (;;) {
        const next = await this.next(session.connection);
        if (next !== 'silence' && next.kind === 'reply' && next.header.xid === XID.ping) break;
        seen.push(this.see(number, next, session));
        if (next === 'silence') break;
        if (next.kind === 'closed') {
          seen.push(...(await this.resume(number, session)));
          break;
        }
      }
    }
    return seen;
  }

  private async handshake(options: Parameters<typeof connectFrame>[0]): Promise<Seen[]> {
    const connection = await RawConnection.open(this.port);
    connection.write(connectFrame(options));
    const answer = await this.next(connection);
    const seen = [this.see('own', answer)];
    if (answer !== 'silence' && answer.kind === 'connect') {
      // A granted session is ended so that it does not end by itself at some other moment.
      if (answer.body.timeOut !== 0) connection.write(connection.prepare('closeSession').frame);
      seen.push(...(await this.drain('own', connection)));
    }
    connection.destroy();
    return seen;
  }

  private async bytes(bytes: Uint8Array): Promise<Seen[]> {
    const { connection } = await RawConnection.session(this.port, { timeOut: SESSION_TIMEOUT_MS, readOnly: false });
    connection.write(bytes);
    const answer = await this.next(connection);
    const seen = [this.see('own', answer)];
    if (answer !== 'silence' && answer.kind === 'closed') return seen;
    connection.write(connection.prepare('closeSession').frame);
    seen.push(...(await this.drain('own', connection)));
    connection.destroy();
    return seen;
  }

  private async drain(from: Seen['from'], connection: RawConnection): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (;;) {
      const next = await this.next(connection);
      seen.push(this.see(from, next));
      if (next === 'silence' || next.kind === 'closed') return seen;
    }
  }

  private async next(connection: RawConnection): Promise<Received | 'silence'> {
    try {
      return await connection.receive(ANSWER_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('no frame')) return 'silence';
      throw error;
    }
  }

  private see(from: Seen['from'], received: Received | 'silence', session?: Session): Seen {
    if (received === 'silence') return { from, kind: 'silence' };
    if (received.kind === 'closed') return { from, kind: 'closed' };
    if (received.kind === 'connect') return { from, kind: 'connect', body: this.mask(received.body) };
    if (received.kind === 'event') return { from, kind: 'event', body: this.mask(received.body) };
    const zxid = BigInt(received.header.zxid as bigint);
    const fresh = zxid > this.highestZxid;
    if (fresh) this.highestZxid = zxid;
    if (session !== undefined && zxid > session.lastZxid) session.lastZxid = zxid;
    return {
      from,
      kind: 'reply',
      op: received.operation,
      err: Number(received.header.err),
      ...(WRITES.has(received.operation) && { freshZxid: fresh }),
      ...(received.body && { body: this.mask(received.body) }),
    };
  }

  private mask(value: Value, field = ''): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item: Value) => this.mask(item));
      return UNORDERED.has(field) ? items.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))) : items;
    }
    if (value instanceof Uint8Array)
      return field === 'passwd' ? `${value.length} bytes` : Buffer.from(value).toString('hex');
    if (typeof value === 'bigint') return this.maskLong(value, field);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value as Fields).map(([name, item]) => [name, this.mask(item, name)]));
  }

  private maskLong(value: bigint, field: string): unknown {
    if (value === 0n) return 0;
    if (field === 'ctime' || field === 'mtime') {
      return Math.abs(Date.now() - Number(value)) < NEAR_MS ? 'now' : `time ${value}`;
    }
    if (field === 'ephemeralOwner' || field === 'sessionId') return this.labels.get(value) ?? 'another session';
    if (field.endsWith('zxid')) return { zxid: value };
    return String(value);
  }
}

/**
 * Replaces each { zxid } by its rank among all of the run. The results of a multi are not counted, because how many
 * Stats they show depends on the version (E52); a zxid seen only there is placed between its neighbours.
 */
function rankZxids(observations: readonly Observation[]): Observation[] {
  const isZxid = (value: unknown): value is { zxid: bigint } =>
    typeof value === 'object' && value !== null && typeof (value as { zxid?: unknown }).zxid === 'bigint';
  const found = new Set<bigint>();
  const visit = (value: unknown): void => {
    if (isZxid(value)) found.add(value.zxid);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  for (const { seen } of observations) visit(seen.filter(({ op }) => op !== 'multi'));
  const sorted = [...found].sort((a, b) => (a < b ? -1 : 1));
  const rank = (zxid: bigint) => {
    const below = sorted.filter((other) => other < zxid).length;
    return sorted[below] === zxid ? `zxid ${below}` : `zxid behind ${below - 1}`;
  };
  const replace = (value: unknown): unknown => {
    if (isZxid(value)) return rank(value.zxid);
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item)]));
  };
  return observations.map(({ step, seen }) => ({ step, seen: seen.map((item) => replace(item) as Seen) }));
}

/** What the server answers to the steps, masked. */
export async function observe(server: ServerUnderTest, steps: readonly Step[]): Promise<Observation[]> {
  const observer = new Observer(server.port, async () => {
    await server.kill9();
    await server.restart();
  });
  const observations: Observation[] = [];
  try {
    for (const step of steps) observations.push({ step, seen: await observer.run(step) });
  } finally {
    await observer.end();
  }
  return rankZxids(observations);
}
