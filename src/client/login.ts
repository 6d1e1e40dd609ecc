// The login that stands between the handshake and everything else, when the client has a name and a password: SASL packets
// to and fro on each new connection, before credentials, watches and requests. It says when it is through, and throws when
// it fails.

import { Code } from '../../protocol/client/errors.js';
import { operations } from '../../protocol/client/operations.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { JuteReader } from '../../protocol/jute/reader.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { errorOfCode, ZooKeeperError } from './errors.js';
import { SaslError, type SaslExchange } from './sasl.js';

export class Login {
  readonly #open: () => SaslExchange;
  #exchange: SaslExchange | undefined;
  #xid = 0;
  #hasSucceeded = false;

  constructor(open: () => SaslExchange) {
    this.#open = open;
  }

  /** It was good on a connection before, so a server that refuses it may be wrong. */
  get hasSucceeded(): boolean {
    return this.#hasSucceeded;
  }

  /** Writes the first packet. */
  begin(writer: JuteWriter, xid: number): void {
    this.#exchange = this.#open();
    this.#write(writer, xid, this.#exchange.start());
  }

  /**
   * Takes a packet and writes the answer, with the xid `nextXid`; true when the login is complete. Throws ZooKeeperError
   * AuthFailed, or what the server's code says.
   */
  received(reader: JuteReader, writer: JuteWriter, nextXid: number): boolean {
    const xid = reader.int();
    reader.long(); // not a zxid that the session has seen
    const code = reader.int();
    if (xid !== this.#xid) throw new ProtocolError(`a reply with xid ${xid} in the middle of a login`, 0);
    if (code !== Code.Ok) throw errorOfCode(code, { operation: 'connect' });
    const { token } = operations.sasl.response.read(reader);
    if (token === null) throw refused('the server does not take this login');
    try {
      const answer = this.#exchange?.next(token) ?? null;
      if (answer !== null) this.#write(writer, nextXid, answer);
      else this.#hasSucceeded = true;
      return answer === null;
    } catch (error) {
      throw error instanceof SaslError ? refused(error.message, error) : error;
    }
  }

  #write(writer: JuteWriter, xid: number, token: Uint8Array): void {
    this.#xid = xid;
    const frame = writer.beginFrame();
    writer.int(xid);
    writer.int(operations.sasl.code);
    operations.sasl.request.write(writer, { token });
    writer.endFrame(frame);
  }
}

function refused(text: string, cause?: unknown): ZooKeeperError {
  return new ZooKeeperError('AuthFailed', { operation: 'connect', text, cause });
}
