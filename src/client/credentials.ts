// Credentials belong to a connection, not to the session, so each one is sent again after every connect (E12). The
// server answers them in the order they came, outside of the order of the requests; the answers carry no name.

import type { JuteWriter } from '../../protocol/jute/writer.js';
import type { ZooKeeperError } from './errors.js';
import { type Credential, writeAuth } from './handshake.js';

export interface CredentialEntry {
  readonly credential: Credential;
  /** Told once; undefined after that. */
  settle: ((error: ZooKeeperError | null) => void) | undefined;
  accepted: boolean;
  /** It came with the options: without it the client is not what the user asked for. */
  readonly required: boolean;
}

export class CredentialList {
  readonly #entries: CredentialEntry[] = [];
  /** Sent on this connection, no answer yet. */
  #outstanding: CredentialEntry[] = [];

  /** Without `settle` the credential is required: when the server refuses it from the start, the client closes. */
  add(credential: Credential, settle?: (error: ZooKeeperError | null) => void): CredentialEntry {
    const entry = { credential, settle, accepted: false, required: settle === undefined };
    this.#entries.push(entry);
    return entry;
  }

  /** Writes all of them, on a new connection. */
  writeAll(writer: JuteWriter): void {
    for (const entry of this.#entries) this.write(writer, entry);
  }

  write(writer: JuteWriter, entry: CredentialEntry): void {
    writeAuth(writer, entry.credential);
    this.#outstanding.push(entry);
  }

  accepted(): void {
    const entry = this.#outstanding.shift();
    if (entry === undefined) return;
    entry.accepted = true;
    entry.settle?.(null);
    entry.settle = undefined;
  }

  /** `final`: there is no use in trying again. A credential that was good before is kept: this server may be wrong. */
  refused(error: ZooKeeperError): 'final' | 'retry' {
    const entry = this.#outstanding.shift();
    if (entry === undefined || entry.accepted) return 'retry';
    if (entry.required) return 'final';
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    entry.settle?.(error);
    entry.settle = undefined;
    return 'retry';
  }

  disconnected(): void {
    this.#outstanding = [];
  }

  failAll(error: ZooKeeperError): void {
    for (const entry of this.#entries) {
      entry.settle?.(error);
      entry.settle = undefined;
    }
    this.#outstanding = [];
  }
}
