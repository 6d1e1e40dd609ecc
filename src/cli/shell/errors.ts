// What went wrong, in one sentence: ZooKeeper's own words first, so that whoever knows zkCli.sh (or has a script that does)
// finds them, and then what to try.

import { parentPath } from '../../../protocol/path.js';
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
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** What the shell itself finds wrong, with what to try. */
export class HintedError extends Error {
  override readonly name: string = 'Refused';
  constructor(
    message: string,
    readonly hint: string,
    readonly exitCode: ExitCode = ExitCode.failed,
  ) {
    super(message);
  }
}

/** A command that needs a server after `close`. */
export class NotConnectedError extends HintedError {
  override readonly name = 'NotConnectedError';
  constructor() {
    super('Not connected', 'connect host:port', ExitCode.noConnection);
  }
}

interface Explanation {
  readonly text: (path: string, error: ZooKeeperError) => string;
  readonly hint?: (path: string, error: ZooKeeperError) => string;
}

const EXPLANATIONS: { readonly [N in ZooKeeperErrorName]?: Explanation } = {
  NoNode: {
    text: (path) => `Node does not exist: ${path}`,
    hint: (path, { operation }) => `${operation === 'create' ? 'create' : 'ls'} ${parentPath(path)}`,
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
    text: (path) => `KeeperErrorCode = No such watcher for ${path}`,
    hint: () => 'get -w, ls -w, stat -w or addWatch first',
  },
  AuthFailed: { text: () => 'Authentication failed', hint: () => 'addauth digest user:password' },
  Unimplemented: {
    text: (_, { operation }) => `The server does not know this request${operation ? `: ${operation}` : ''}`,
    hint: (_, { operation }) => knownSince(operation),
  },
  NotReadOnly: { text: () => 'This server has no quorum and only reads', hint: () => 'again when more servers are up' },
  ReconfigDisabled: {
    text: () => 'KeeperErrorCode = Reconfig is disabled',
    hint: () => "reconfigEnabled=true in the servers' zoo.cfg",
  },
  NewConfigNoQuorum: {
    text: () => 'No quorum of new config is connected and up-to-date with the leader of last commmitted config',
    hint: () => 'again when the new servers are up',
  },
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
  /** One line. */
  readonly message: string;
  /** What to try. */
  readonly hint?: string | undefined;
  /** The command's usage line, for words that do not fit it. */
  readonly usage?: string | undefined;
  readonly exitCode: ExitCode;
}

export function complaintOf(error: unknown): Complaint {
  if (error instanceof UsageError) {
    const { name, usage, hint } = error;
    return { name, message: capital(error.message), hint, usage, exitCode: ExitCode.usage };
  }
  if (error instanceof HintedError) {
    return { name: error.name, message: capital(error.message), hint: error.hint, exitCode: error.exitCode };
  }
  if (ZooKeeperError.is(error, 'BadArguments') && error.operation === 'connect') {
    const message = capital(error.message.replace(' (BadArguments)', ''));
    return { name: error.name, message, hint: '-server host:port', exitCode: ExitCode.usage };
  }
  if (ZooKeeperError.is(error)) {
    const explanation = EXPLANATIONS[error.name];
    const path = error.path ?? '';
    const isConnection = ['ConnectionLoss', 'RequestTimeout', 'SessionExpired', 'ClientClosed'].includes(error.name);
    return {
      name: error.name,
      message: explanation?.text(path, error) ?? capital(error.message),
      hint: explanation?.hint?.(path, error),
      exitCode: isConnection ? ExitCode.noConnection : ExitCode.failed,
    };
  }
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { name, message: name === 'AbortError' ? 'Interrupted' : capital(message), exitCode: ExitCode.failed };
}

/** Which servers answer what not all do: for a shell that is pointed at an old ZooKeeper. */
function knownSince(operation: string | undefined): string {
  if (operation === 'create') return 'a server with extendedTypesEnabled=true, as Zabra has it by default';
  return `ZooKeeper ${operation === 'whoAmI' ? '3.7' : '3.6'} or newer, or Zabra`;
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

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
