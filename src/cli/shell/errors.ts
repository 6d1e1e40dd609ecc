// What went wrong, in one sentence: ZooKeeper's own words first, so that whoever knows zkCli.sh (or has a script that does)
// finds them, and then what to try.

import { ZooKeeperError, type ZooKeeperErrorName } from '../../client/index.js';

/** Exit codes of `zabra cli`. */
export const ExitCode = { ok: 0, failed: 1, usage: 2, noConnection: 3 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The words do not make a command. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    message: string,
    /** The command's usage line, where the command is known. */
    readonly usage?: string,
  ) {
    super(message);
  }
}

/** A command that needs a server after `close`. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
  constructor() {
    super('Not connected');
  }
}

interface Explanation {
  readonly text: (path: string, error: ZooKeeperError) => string;
  readonly hint?: (path: string, error: ZooKeeperError) => string;
}

const EXPLANATIONS: { readonly [N in ZooKeeperErrorName]?: Explanation } = {
  NoNode: {
    text: (path) => `Node does not exist: ${path}`,
    hint: (path, { operation }) => `${operation === 'create' ? 'create' : 'ls'} ${parentOf(path)}`,
  },
  NodeExists: { text: (path) => `Node already exists: ${path}`, hint: (path) => `set ${path} data` },
  NotEmpty: { text: (path) => `Node not empty: ${path}`, hint: (path) => `deleteall ${path}` },
  BadVersion: { text: (path) => `version No is not valid : ${path}`, hint: (path) => `stat ${path}` },
  NoAuth: { text: (path) => `Insufficient permission : ${path}`, hint: () => 'whoami, or addauth scheme auth' },
  InvalidACL: {
    text: (path) => `Acl is not valid : ${path}`,
    hint: () => 'world:anyone:cdrwa, or addauth first for auth::cdrwa',
  },
  NoChildrenForEphemerals: {
    text: (path) => `Ephemerals cannot have children: ${path}`,
    hint: () => 'a node without -e as the parent',
  },
  BadArguments: { text: (_, error) => badArguments(error), hint: () => 'help' },
  QuotaExceeded: {
    text: (path) => `Quota has exceeded : ${path}`,
    hint: () => 'a larger quota, or fewer and smaller nodes',
  },
  NoWatcher: {
    text: (path) => `No such watcher for ${path}`,
    hint: () => 'get -w, ls -w, stat -w or addWatch first',
  },
  AuthFailed: { text: () => 'Authentication failed', hint: () => 'addauth digest user:password' },
  Unimplemented: { text: () => 'The server does not know this request', hint: () => 'a newer server' },
  NotReadOnly: { text: () => 'This server has no quorum and only reads', hint: () => 'again when more servers are up' },
  ConnectionLoss: {
    text: (_, error) => noConnection(error),
    hint: () => 'zabra server to start one, or -server host:port of one that runs',
  },
  RequestTimeout: { text: () => 'The server did not answer in time', hint: () => 'again, or a larger --timeout' },
  SessionExpired: { text: () => 'The session has expired, with its ephemeral nodes', hint: () => 'again' },
  ClientClosed: { text: () => 'Not connected', hint: () => 'connect host:port' },
};

export interface Complaint {
  readonly name: string;
  /** One line; for UsageError, a second one with the usage. */
  readonly message: string;
  readonly exitCode: ExitCode;
}

export function complaintOf(error: unknown): Complaint {
  if (error instanceof UsageError) {
    const usage = error.usage === undefined ? '' : `\nUsage: ${error.usage}`;
    return { name: error.name, message: `${capital(error.message)}${usage}`, exitCode: ExitCode.usage };
  }
  if (error instanceof NotConnectedError) {
    return { name: error.name, message: `${error.message} (try: connect host:port)`, exitCode: ExitCode.noConnection };
  }
  if (ZooKeeperError.is(error, 'BadArguments') && error.operation === 'connect') {
    const message = `${error.message.replace(' (BadArguments)', '')} (try: -server host:port)`;
    return { name: error.name, message: capital(message), exitCode: ExitCode.usage };
  }
  if (ZooKeeperError.is(error)) {
    const explanation = EXPLANATIONS[error.name];
    const path = error.path ?? '';
    const text = explanation?.text(path, error) ?? capital(error.message);
    const hint = explanation?.hint === undefined ? '' : ` (try: ${explanation.hint(path, error)})`;
    const isConnection = ['ConnectionLoss', 'RequestTimeout', 'SessionExpired', 'ClientClosed'].includes(error.name);
    return {
      name: error.name,
      message: `${text}${hint}`,
      exitCode: isConnection ? ExitCode.noConnection : ExitCode.failed,
    };
  }
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { name, message: name === 'AbortError' ? 'Interrupted' : capital(message), exitCode: ExitCode.failed };
}

function noConnection(error: ZooKeeperError): string {
  if (error.operation !== 'connect') return 'The connection was lost before the answer came';
  const detail = /: (no server took the session within \d+ ms.*?)(?: \(ConnectionLoss\))?$/.exec(error.message);
  return capital(detail?.[1] ?? 'no server took the session');
}

function badArguments(error: ZooKeeperError): string {
  const { path } = error;
  if (path !== null && !path.startsWith('/')) return 'Path must start with / character';
  return error.code === 0 || path === null ? capital(error.message) : `Arguments are not valid : ${path}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
