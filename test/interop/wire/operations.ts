/**
 * ZooKeeper's client operations as data (zookeeper.jute), for tests: number, request record, reply record. multi and
 * multiRead have a form of their own (E49, E51, E52) and are written and read by the functions at the end.
 */
import { type Fields, type JuteReader, JuteWriter, type RecordType, record, type Value } from './jute.js';

const id = record({ scheme: 'string', id: 'string' });
const acl = record({ perms: 'int', id });
const aclList = { vector: acl };
const strings = { vector: 'string' } as const;

export const STAT = record({
  czxid: 'long',
  mzxid: 'long',
  ctime: 'long',
  mtime: 'long',
  version: 'int',
  cversion: 'int',
  aversion: 'int',
  ephemeralOwner: 'long',
  dataLength: 'int',
  numChildren: 'int',
  pzxid: 'long',
});
export const REQUEST_HEADER = record({ xid: 'int', type: 'int' });
export const REPLY_HEADER = record({ xid: 'int', zxid: 'long', err: 'int' });
export const WATCHER_EVENT = record({ type: 'int', state: 'int', path: 'string' });
export const CONNECT_REQUEST = record({
  protocolVersion: 'int',
  lastZxidSeen: 'long',
  timeOut: 'int',
  sessionId: 'long',
  passwd: 'buffer',
});
export const CONNECT_RESPONSE = record({
  protocolVersion: 'int',
  timeOut: 'int',
  sessionId: 'long',
  passwd: 'buffer',
});
const MULTI_HEADER = record({ type: 'int', done: 'bool', err: 'int' });

export const XID = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export interface OperationSpec {
  readonly code: number;
  readonly request: RecordType;
  /** undefined: the reply is a header only. */
  readonly reply?: RecordType;
}

const empty = record({});
const createFields = record({ path: 'string', data: 'buffer', acl: aclList, flags: 'int' });
const pathOnly = record({ path: 'string' });
const pathWatch = record({ path: 'string', watch: 'bool' });
const pathVersion = record({ path: 'string', version: 'int' });
const pathType = record({ path: 'string', type: 'int' });
const statReply = record({ stat: STAT });
const createdReply = record({ path: 'string', stat: STAT });
const setWatchesFields = {
  relativeZxid: 'long',
  dataWatches: strings,
  existWatches: strings,
  childWatches: strings,
} as const;

export const OPERATIONS = {
  create: { code: 1, request: createFields, reply: pathOnly },
  delete: { code: 2, request: pathVersion },
  exists: { code: 3, request: pathWatch, reply: statReply },
  getData: { code: 4, request: pathWatch, reply: record({ data: 'buffer', stat: STAT }) },
  setData: { code: 5, request: record({ path: 'string', data: 'buffer', version: 'int' }), reply: statReply },
  getACL: { code: 6, request: pathOnly, reply: record({ acl: aclList, stat: STAT }) },
  setACL: { code: 7, request: record({ path: 'string', acl: aclList, version: 'int' }), reply: statReply },
  getChildren: { code: 8, request: pathWatch, reply: record({ children: strings }) },
  sync: { code: 9, request: pathOnly, reply: pathOnly },
  ping: { code: 11, request: empty },
  getChildren2: { code: 12, request: pathWatch, reply: record({ children: strings, stat: STAT }) },
  check: { code: 13, request: pathVersion },
  multi: { code: 14, request: empty },
  create2: { code: 15, request: createFields, reply: createdReply },
  reconfig: {
    code: 16,
    request: record({
      joiningServers: 'string',
      leavingServers: 'string',
      newMembers: 'string',
      curConfigId: 'long',
    }),
    reply: record({ data: 'buffer', stat: STAT }),
  },
  checkWatches: { code: 17, request: pathType },
  removeWatches: { code: 18, request: pathType },
  createContainer: { code: 19, request: createFields, reply: createdReply },
  deleteContainer: { code: 20, request: pathOnly },
  createTTL: {
    code: 21,
    request: record({ path: 'string', data: 'buffer', acl: aclList, flags: 'int', ttl: 'long' }),
    reply: createdReply,
  },
  multiRead: { code: 22, request: empty },
  auth: { code: 100, request: record({ type: 'int', scheme: 'string', auth: 'buffer' }) },
  setWatches: { code: 101, request: record(setWatchesFields) },
  getEphemerals: { code: 103, request: record({ prefixPath: 'string' }), reply: record({ ephemerals: strings }) },
  getAllChildrenNumber: { code: 104, request: pathOnly, reply: record({ totalNumber: 'int' }) },
  setWatches2: {
    code: 105,
    request: record({ ...setWatchesFields, persistentWatches: strings, persistentRecursiveWatches: strings }),
  },
  addWatch: { code: 106, request: record({ path: 'string', mode: 'int' }), reply: record({ err: 'int' }) },
  whoAmI: {
    code: 107,
    request: empty,
    reply: record({ clientInfo: { vector: record({ authScheme: 'string', user: 'string' }) } }),
  },
  closeSession: { code: -11, request: empty },
} satisfies Record<string, OperationSpec>;

export type OperationName = keyof typeof OPERATIONS;

export function operation(name: OperationName): OperationSpec {
  return OPERATIONS[name];
}

/** One operation inside a multi; `op` is its name, the rest its request fields. */
export type MultiPart = Fields & { readonly op: OperationName };

/** The body of a multi or multiRead request (E49). */
export function writeMulti(parts: readonly MultiPart[]): Buffer {
  const writer = new JuteWriter();
  for (const part of parts) {
    const spec = operation(part.op);
    writer.value(MULTI_HEADER, { type: spec.code, done: false, err: -1 }).value(spec.request, part);
  }
  return writer.value(MULTI_HEADER, { type: -1, done: true, err: -1 }).bytes();
}

// E52: what the body of a successful part is, by the type in its header.
const MULTI_RESULTS: Readonly<Record<number, RecordType>> = {
  1: pathOnly,
  2: empty,
  4: record({ data: 'buffer', stat: STAT }),
  5: statReply,
  8: record({ children: strings }),
  13: empty,
  15: createdReply,
  [-1]: record({ err: 'int' }),
};

/** The body of a multi or multiRead reply: { results: [{ type, headerErr, …fields }] }. */
export function readMultiReply(reader: JuteReader): Fields {
  const results: Value[] = [];
  for (;;) {
    const header = reader.record(MULTI_HEADER);
    if (header.done) return { results };
    const type = Number(header.type);
    const body = MULTI_RESULTS[type];
    if (body === undefined) throw new Error(`a multi result of type ${type}`);
    results.push({ type, headerErr: header.err, ...reader.record(body) });
  }
}
