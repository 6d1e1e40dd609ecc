// ZooKeeper's error codes with what each one means (reference A2; KeeperException.java). One table for the server that
// answers with them and the client that turns them into errors a person can act on.

/** `retryable`: the same call may succeed later as it is. */
interface ErrorFact {
  readonly code: number;
  readonly text: string;
  readonly retryable?: true;
}

export const ERRORS = {
  Ok: { code: 0, text: 'success' },
  SystemError: { code: -1, text: 'the server could not carry out the request', retryable: true },
  RuntimeInconsistency: { code: -2, text: 'not executed, because an earlier operation of the same multi failed' },
  DataInconsistency: { code: -3, text: 'the data is inconsistent' },
  ConnectionLoss: { code: -4, text: 'the connection was lost before the answer came', retryable: true },
  MarshallingError: { code: -5, text: 'the request could not be decoded' },
  Unimplemented: { code: -6, text: 'the server does not know this operation' },
  OperationTimeout: { code: -7, text: 'no answer within the time allowed', retryable: true },
  BadArguments: { code: -8, text: 'an argument is not valid' },
  UnknownSession: { code: -12, text: 'the server does not know this session' },
  NewConfigNoQuorum: { code: -13, text: 'no quorum of the new configuration is connected and synchronised' },
  ReconfigInProgress: { code: -14, text: 'another reconfiguration is in progress', retryable: true },
  APIError: { code: -100, text: 'the interface was used wrongly' },
  NoNode: { code: -101, text: 'the node does not exist' },
  NoAuth: { code: -102, text: 'the ACL does not allow it' },
  BadVersion: { code: -103, text: 'the version given is not the current one' },
  NoChildrenForEphemerals: { code: -108, text: 'ephemeral nodes cannot have children' },
  NodeExists: { code: -110, text: 'the node exists already' },
  NotEmpty: { code: -111, text: 'the node has children' },
  SessionExpired: { code: -112, text: 'the session has expired' },
  InvalidCallback: { code: -113, text: 'the callback is not valid' },
  InvalidACL: { code: -114, text: 'the ACL is empty or has an entry that is not valid' },
  AuthFailed: { code: -115, text: 'authentication failed' },
  SessionMoved: { code: -118, text: 'the session has moved to another connection', retryable: true },
  NotReadOnly: { code: -119, text: 'the server is read-only at the moment', retryable: true },
  EphemeralOnLocalSession: { code: -120, text: 'a local session cannot own ephemeral nodes' },
  NoWatcher: { code: -121, text: 'there is no such watch' },
  RequestTimeout: { code: -122, text: 'the request timed out', retryable: true },
  ReconfigDisabled: { code: -123, text: 'reconfiguration is disabled (reconfigEnabled=false)' },
  SessionClosedRequireSaslAuth: { code: -124, text: 'the server closed the session: it demands authentication' },
  QuotaExceeded: { code: -125, text: 'the quota of the subtree is exceeded' },
  ThrottledOp: { code: -127, text: 'the server is overloaded and did not take the request', retryable: true },
} as const satisfies Record<string, ErrorFact>;

export type ErrorName = keyof typeof ERRORS;

/** Code by name: `Code.NoNode` is -101. */
export const Code = Object.fromEntries(Object.entries(ERRORS).map(([name, fact]) => [name, fact.code])) as {
  readonly [N in ErrorName]: (typeof ERRORS)[N]['code'];
};

const BY_CODE = new Map<number, ErrorName>(
  (Object.entries(ERRORS) as [ErrorName, ErrorFact][]).map(([name, fact]) => [fact.code, name]),
);

/** The name of a code; undefined for one that no ZooKeeper has. */
export function errorName(code: number): ErrorName | undefined {
  return BY_CODE.get(code);
}

export function errorText(name: ErrorName): string {
  return ERRORS[name].text;
}

export function isRetryable(name: ErrorName): boolean {
  return (ERRORS[name] as ErrorFact).retryable === true;
}
