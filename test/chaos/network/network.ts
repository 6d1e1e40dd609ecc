/**
 * The network between the servers of a chaos run, and between them and the clients: what a fault may do to it.
 *
 * Host 0 is the test, with all clients; hosts 1 … n are the servers. Every link is a pair of directions, and each can be
 * cut, slowed down and made lossy by itself.
 */

/** What happens to what one host sends to another. */
export interface Quality {
  /** Share of what is sent that is lost: 1 is a cut. Default 0. */
  readonly loss?: number;
  /** How long it is on its way, and by how much that varies. Default 0. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

export interface Network extends AsyncDisposable {
  /** One sentence for the report. */
  readonly description: string;
  /** Why ZooKeeper's servers cannot be put into it; undefined when they can. */
  readonly whyNotZooKeeper: string | undefined;
  /** How a program is started so that it runs on this host. */
  on(host: number, commandLine: CommandLine): CommandLine;
  /** What a server listens on. */
  listening(host: number): Addresses;
  /** Where a host finds a server. */
  reaching(from: number, to: number): Addresses;
  /** Sets one direction of a link. */
  set(from: number, to: number, quality: Quality): void;
}

export interface Addresses {
  readonly host: string;
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export const CUT: Quality = { loss: 1 };
export const CLEAN: Quality = {};
