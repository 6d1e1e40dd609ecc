// What the server runs with: every option of the table with its value, and what follows from several together.

import type { HostPort, ServerSpec } from './ensemble.js';
import type { OptionValues } from './options.js';

type Derived =
  | 'dataLogDirOption'
  | 'minSessionTimeoutOption'
  | 'maxSessionTimeoutOption'
  | 'connectToLearnerMasterLimitOption'
  | 'peerTypeOption'
  | 'juteMaxBufferExtraSizeOption';

/** Immutable. Field names end in their unit; limits named like ZooKeeper's (initLimit, syncLimit) are in ticks. */
export interface ServerConfig extends Omit<OptionValues, Derived> {
  /** The file it came from, if any. */
  readonly file: string | undefined;
  /** As asked for; the database itself is in dataDir. */
  readonly dataLogDir: string;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Ticks a follower tries to reach its leader. */
  readonly connectToLearnerMasterLimit: number;
  /** Bytes. */
  readonly juteMaxBufferExtraSize: number;
  readonly peerType: 'participant' | 'observer';
  /** 0 for a server on its own. */
  readonly serverId: number;
  /** By rising id; empty for a server on its own. */
  readonly servers: readonly ServerSpec[];
  /** Of the list of servers; 0 until the first reconfig. */
  readonly serversVersion: bigint;
  /** Whether the server is part of an ensemble (otherwise it is standalone). */
  readonly replicated: boolean;
  /** Where clients are taken; undefined when there is no such port. `host` undefined: all addresses. */
  readonly clientListen: HostPort | undefined;
  readonly secureClientListen: HostPort | undefined;
  /** Whether the admin port was named: only then is it an error that somebody else has it. */
  readonly adminPortGiven: boolean;
}
