/**
 * Makes the test case of a seed: requests of every kind, mostly sensible and each field now and then not, on a small
 * pool of paths so that they meet.
 *
 * It keeps out of what ZooKeeper 3.8.0 does differently from 3.9.5 by design (AVOIDED tells what and why), because
 * such a difference would spoil everything behind it.
 */
import type { Fields, Value } from '../wire/jute.js';
import { JuteWriter } from '../wire/jute.js';
import { type MultiPart, type OperationName, REQUEST_HEADER } from '../wire/operations.js';
import { frameOf, type HandshakeOptions, requestFrame } from '../wire/raw-connection.js';
import { Random } from './random.js';
import { LAST_ZXID, type Request, type Step } from './steps.js';

/** What the generator never does, with the reason (E-0 of the reference, and fixes made after 3.8.0). */
export const AVOIDED = [
  ['a top-level check (13)', '3.8.0 never answers it; ours refuses it as E11'],
  ['deleteContainer (20)', 'internal (E47)'],
  ['removeWatches and checkWatches of types 4 and 5', '3.8.0 answers -5'],
  ['two watch modes on one path', 'in 3.8.0 the later replaces the earlier; 3.9.5 keeps both'],
  ['removeWatches of type 1 or 2 on a path with a lasting watch', '3.8.0 removes it whatever its mode'],
  ['exists where READ may be missing', '3.8.0 returns the Stat, 3.9.5 answers -102 (E41)'],
  ['watches where READ may be missing', '3.8.0 does not filter events by ACL (E46)'],
  ['a node kind in a multi that its flag contradicts', 'in 3.8.0 the flag decides, in 3.9.5 the operation'],
  ['requests pipelined behind a setACL', '3.8.0 may still check them against the old ACL: its change record lacks it'],
  ['writes below /zookeeper', 'quota and config nodes have their own tests'],
] as const;

const MAX_INT = 0x7fffffff;
const SESSIONS = 3;
const ANN = 'ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=';
const HOUR_MS = 3_600_000n;

const acl = (perms: number, scheme: string | null, id: string | null): Fields => ({ perms, id: { scheme, id } });
const OPEN = [acl(31, 'world', 'anyone')];
const CLOSED_ACLS: ReadonlyArray<readonly Fields[]> = [
  OPEN,
  [acl(31, 'digest', ANN)],
  [acl(1, 'world', 'anyone'), acl(31, 'digest', ANN)],
  [acl(31, 'auth', '')],
  [acl(31, 'ip', '127.0.0.1')],
  [acl(31, 'ip', '10.0.0.0/8')],
  [acl(2, 'world', 'anyone')],
  [acl(12, 'world', 'anyone'), acl(16, 'digest', ANN)],
  [acl(1, 'world', 'anyone'), acl(1, 'world', 'anyone')],
];
const BAD_ACLS: ReadonlyArray<readonly Fields[] | null> = [
  [],
  null,
  [acl(31, 'nosuch', 'x')],
  [acl(31, 'world', 'bob')],
  [acl(31, 'digest', 'no-colon')],
  [acl(31, 'digest', 'a:b:c')],
  [acl(31, 'ip', '1.2.3.400')],
  [acl(31, 'ip', '10.0.0.0/99')],
];
const NO_PATHS = ['', 'x', 'x/y', '/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota', '//', '/.', '/..'];

type WatchClass = 'standard' | 'persistent' | 'recursive';

class Generator {
  private readonly random: Random;
  private readonly open: string;
  private readonly guarded: string;
  private readonly openPaths: readonly string[];
  private readonly guardedPaths: readonly string[];

  constructor(seed: number, name: string) {
    this.random = new Random(seed);
    this.open = `/case-${name}`;
    this.guarded = `/guarded-${name}`;
    const sequential = ['s-0000000000', 's-0000000001', 's-0000000002', 's-0000000003'];
    const below = ['a', 'b', 'c', 'a/x', 'a/y', 'b/x', 'c/x', 'a/x/1', 'ü', ...sequential];
    this.openPaths = [this.open, ...below.map((name) => `${this.open}/${name}`)];
    this.guardedPaths = [this.guarded, `${this.guarded}/a`, `${this.guarded}/b`, `${this.guarded}/a/x`];
  }

  steps(count: number): Step[] {
    const make = (path: string): Request => ({
      op: 'create',
      fields: { path, data: new Uint8Array(), acl: OPEN, flags: 0 },
    });
    // The node `keep` is in no pool: with it the two roots are never empty, so they stay.
    const paths = [this.open, `${this.open}/keep`, this.guarded, `${this.guarded}/keep`];
    const some = ['a', 'b', 'c', 'a/x'].map((name) => `${this.open}/${name}`);
    const requests = [...paths, ...some, `${this.guarded}/a`].map(make);
    const first: Step = { kind: 'requests', session: 0, requests };
    return [first, ...Array.from({ length: count }, () => this.step())];
  }

  private step(): Step {
    const session = this.random.below(SESSIONS);
    switch (this.random.weighted({ single: 60, pipeline: 25, auth: 4, resume: 4, close: 2, handshake: 2, bytes: 3 })) {
      case 'single':
        return { kind: 'requests', session, requests: [this.request()] };
      case 'pipeline':
        return { kind: 'requests', session, requests: this.pipeline() };
      case 'auth':
        return { kind: 'requests', session, requests: [this.auth()] };
      case 'resume':
        return { kind: 'resume', session };
      case 'close':
        return { kind: 'close', session };
      case 'handshake':
        return { kind: 'handshake', options: this.handshake() };
      case 'bytes':
        return this.bytes();
    }
  }

  private pipeline(): Request[] {
    const requests = Array.from({ length: 2 + this.random.below(8) }, () => this.request());
    const last = requests.findIndex(({ op }) => op === 'setACL');
    return last === -1 ? requests : requests.slice(0, last + 1);
  }

  private auth(): Request {
    const scheme = this.random.weighted({ digest: 8, nosuch: 1 });
    const auth = new Uint8Array(Buffer.from(this.random.pick(['ann:secret', 'bob:word'])));
    return { op: 'auth', fields: { type: 0, scheme, auth } };
  }

  private path(guardedToo = true): string {
    const { random } = this;
    if (random.chance(0.06)) return random.pick(NO_PATHS);
    if (random.chance(0.06)) {
      const tail = random.pick([
        '/',
        '//a',
        '/./a',
        '/../a',
        '/a/',
        '/a\u0001b',
        '/a\u007f',
        '/\ue000',
        '/\ufff0',
        '/.',
      ]);
      return this.open + tail;
    }
    return guardedToo && random.chance(0.2) ? random.pick(this.guardedPaths) : random.pick(this.openPaths);
  }

  private guardedPath(): string {
    return this.random.chance(0.8) ? this.random.pick(this.guardedPaths) : this.path();
  }

  private isGuarded(path: string): boolean {
    return path.startsWith(this.guarded);
  }

  private classOf(path: string): WatchClass {
    if (path === `${this.open}/b`) return 'recursive';
    return path === `${this.open}/a/x` || path === `${this.open}/c` ? 'persistent' : 'standard';
  }

  private data(): Uint8Array | null {
    const { random } = this;
    if (random.chance(0.1)) return null;
    return Uint8Array.from({ length: random.pick([0, 1, 3, 20]) }, () => random.below(256));
  }

  private version(): number {
    const { random } = this;
    return random.chance(0.6) ? -1 : random.pick([0, 0, 0, 1, 1, 2, 3, -2, MAX_INT]);
  }

  private aclFor(path: string): Value {
    const { random } = this;
    if (random.chance(0.05)) return random.pick(BAD_ACLS);
    return this.isGuarded(path) ? random.pick(CLOSED_ACLS) : OPEN;
  }

  private create(op: OperationName, insideMulti = false): Fields & { readonly op: OperationName } {
    const { random } = this;
    let path = this.path();
    let flags = random.pick([0, 0, 0, 1, 2, 3]);
    let ttl = -1n;
    if (op === 'createContainer') flags = 4;
    if (op === 'createTTL') {
      flags = random.pick([5, 5, 6]);
      ttl = random.pick([HOUR_MS, HOUR_MS, (1n << 40n) - 1n, 0n, -1n, -5n, 1n << 40n]);
    }
    if (!insideMulti && op !== 'createContainer' && random.chance(0.06)) flags = random.pick([-1, 5, 6, 7, 100]);
    if ((flags === 2 || flags === 3 || flags === 6) && random.chance(0.8)) path = `${this.open}/s-`;
    return { op, path, data: this.data(), acl: this.aclFor(path), flags, ...(op === 'createTTL' && { ttl }) };
  }

  private watch(path: string): boolean {
    return this.classOf(path) === 'standard' && !this.isGuarded(path) && this.random.chance(0.5);
  }

  private part(kind: 'write' | 'read'): MultiPart {
    const { random } = this;
    const op =
      kind === 'read'
        ? random.pick(['getData', 'getChildren'] as const)
        : random.pick(['create', 'create', 'create2', 'createContainer', 'delete', 'setData', 'check'] as const);
    if (op === 'create' || op === 'create2' || op === 'createContainer') return this.create(op, true);
    const path = this.path();
    if (op === 'getData' || op === 'getChildren') return { op, path, watch: false };
    return { op, path, version: this.version(), ...(op === 'setData' && { data: this.data() }) };
  }

  private request(): Request {
    const { random } = this;
    const op = random.weighted({
      create: 14,
      create2: 6,
      createContainer: 2,
      createTTL: 4,
      delete: 10,
      exists: 8,
      getData: 8,
      setData: 8,
      getACL: 3,
      setACL: 5,
      getChildren: 5,
      getChildren2: 5,
      sync: 2,
      ping: 2,
      multi: 10,
      multiRead: 4,
      reconfig: 1,
      checkWatches: 3,
      removeWatches: 3,
      setWatches: 3,
      setWatches2: 2,
      addWatch: 4,
      getEphemerals: 2,
      getAllChildrenNumber: 2,
      whoAmI: 1,
    });
    const path = this.path();
    switch (op) {
      case 'create':
      case 'create2':
      case 'createContainer':
      case 'createTTL': {
        const { op: _, ...fields } = this.create(op);
        return { op, fields };
      }
      case 'delete':
        return { op, fields: { path, version: this.version() } };
      case 'exists': {
        const readable = this.path(false);
        return { op, fields: { path: readable, watch: this.watch(readable) } };
      }
      case 'getData':
      case 'getChildren':
      case 'getChildren2':
        return { op, fields: { path, watch: this.watch(path) } };
      case 'setData':
        return { op, fields: { path, data: this.data(), version: this.version() } };
      case 'getACL':
        return { op, fields: { path: this.guardedPath() } };
      case 'setACL': {
        const guarded = this.guardedPath();
        const version = random.chance(0.7) ? -1 : random.pick([0, 1, 2, 9]);
        return { op, fields: { path: guarded, acl: this.aclFor(guarded), version } };
      }
      case 'multi': {
        const parts = Array.from({ length: random.below(5) }, () => this.part(random.chance(0.02) ? 'read' : 'write'));
        return { op, fields: {}, parts };
      }
      case 'multiRead':
        return { op, fields: {}, parts: Array.from({ length: random.below(5) }, () => this.part('read')) };
      case 'reconfig':
        return {
          op,
          fields: { joiningServers: null, leavingServers: '3', newMembers: null, curConfigId: -1n },
        };
      case 'checkWatches':
      case 'removeWatches': {
        const watched = this.path(false);
        const types = this.classOf(watched) === 'standard' ? [1, 2, 3, 0, 9] : [3, 3, 3, 0, 9];
        return { op, fields: { path: watched, type: random.pick(types) } };
      }
      case 'setWatches':
      case 'setWatches2':
        return { op, fields: this.setWatches(op === 'setWatches2') };
      case 'addWatch': {
        const watched = random.pick(['a/x', 'b', 'c']);
        const mode = watched === 'b' ? 1 : 0;
        return {
          op,
          fields: { path: `${this.open}/${watched}`, mode: random.chance(0.1) ? random.pick([2, -1]) : mode },
        };
      }
      case 'getEphemerals':
        return { op, fields: { prefixPath: random.pick([this.open, `${this.open}/a`, this.guarded, '/', '/none']) } };
      case 'sync':
      case 'getAllChildrenNumber':
        return { op, fields: { path } };
      case 'ping':
      case 'whoAmI':
        return { op, fields: {} };
    }
  }

  private setWatches(persistent: boolean): Fields {
    const { random } = this;
    const standard = this.openPaths.filter((path) => this.classOf(path) === 'standard');
    const some = () => Array.from({ length: random.below(4) }, () => random.pick(standard));
    return {
      relativeZxid: random.pick<Value>([0n, LAST_ZXID, LAST_ZXID, 1n << 60n]),
      dataWatches: some(),
      existWatches: some(),
      childWatches: some(),
      ...(persistent && {
        persistentWatches: random.chance(0.5) ? [`${this.open}/c`] : [],
        persistentRecursiveWatches: random.chance(0.5) ? [`${this.open}/b`] : [],
      }),
    };
  }

  private handshake(): HandshakeOptions {
    const { random } = this;
    return {
      timeOut: random.pick([0, -1, 1, 60_000, MAX_INT]),
      sessionId: random.pick([0n, 0n, 0x1234567n, -1n]),
      passwd: random.pick([new Uint8Array(16), new Uint8Array(16).fill(7), null, new Uint8Array(), new Uint8Array(15)]),
      lastZxidSeen: random.pick([0n, 0n, -1n, 1n << 60n]),
      protocolVersion: random.pick([0, 1, -1]),
      ...(random.chance(0.7) && { readOnly: random.chance(0.5) }),
    };
  }

  private bytes(): Step {
    const { random } = this;
    const xid = 77;
    const request = this.request();
    const whole = requestFrame(request.op, this.concrete(request.fields), xid, request.parts).subarray(4);
    switch (random.weighted({ cut: 5, longer: 2, code: 2, short: 1 })) {
      case 'cut': {
        const length = 8 + random.below(Math.max(1, whole.length - 8));
        return {
          kind: 'bytes',
          what: `${request.op} cut to ${length} bytes`,
          bytes: frameOf(whole.subarray(0, length)),
        };
      }
      case 'longer': {
        const bytes = frameOf(Buffer.concat([whole, Buffer.from('trailing')]));
        return { kind: 'bytes', what: `${request.op} with bytes too many`, bytes };
      }
      case 'code': {
        const type = random.pick([0, 10, 23, 99, 999, -5, MAX_INT]);
        return {
          kind: 'bytes',
          what: `operation ${type}`,
          bytes: frameOf(new JuteWriter().value(REQUEST_HEADER, { xid, type }).bytes()),
        };
      }
      case 'short':
        return { kind: 'bytes', what: 'less than a header', bytes: frameOf(whole.subarray(0, random.below(8))) };
    }
  }

  private concrete(fields: Fields): Fields {
    return fields.relativeZxid === LAST_ZXID ? { ...fields, relativeZxid: 0n } : fields;
  }
}

/**
 * The steps of a seed.
 * @param name what the nodes are named after: many cases, or one case many times, may share a server.
 */
export function generate(seed: number, count: number, name = String(seed)): Step[] {
  return new Generator(seed, name).steps(count);
}
