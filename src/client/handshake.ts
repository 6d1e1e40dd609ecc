// The packets that open a connection, sent in one go before anything is answered (E7): who we are, our credentials, and
// the watches that the last connection had. The server works through them in this order.

import { Xid } from '../../protocol/client/constants.js';
import { operations } from '../../protocol/client/operations.js';
import { writeConnectRequest } from '../../protocol/client/packets.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import type { WatchRegistry } from './watches.js';

/** Path text in one setWatches packet: far below the largest packet, as ZooKeeper's own client splits it (E63). */
const WATCH_TEXT_MAX = 128 * 1024;

export interface Credential {
  /** For example `digest`. */
  readonly scheme: string;
  /** For digest: `user:password`. */
  readonly auth: Uint8Array;
}

export interface ConnectParameters {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  /** 0n asks for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly readOnly: boolean;
}

export function writeConnect(writer: JuteWriter, parameters: ConnectParameters): void {
  const frame = writer.beginFrame();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: parameters.lastZxid,
    timeoutMs: parameters.timeoutMs,
    sessionId: parameters.sessionId,
    password: parameters.password,
    readOnly: parameters.readOnly,
  });
  writer.endFrame(frame);
}

export function writeAuth(writer: JuteWriter, credential: Credential): void {
  const frame = writer.beginFrame();
  writer.int(Xid.auth);
  writer.int(operations.auth.code);
  operations.auth.request.write(writer, { type: 0, scheme: credential.scheme, auth: credential.auth });
  writer.endFrame(frame);
}

export function writePing(writer: JuteWriter): void {
  const frame = writer.beginFrame();
  writer.int(Xid.ping);
  writer.int(operations.ping.code);
  writer.endFrame(frame);
}

/** setWatches for all one-shot watches; setWatches2, which old servers do not know, only where it is needed (E63). */
export function writeWatches(writer: JuteWriter, watches: WatchRegistry, relativeZxid: bigint): void {
  for (const group of watches.groups(WATCH_TEXT_MAX)) {
    const frame = writer.beginFrame();
    writer.int(Xid.setWatches);
    const lists = { relativeZxid, dataWatches: group.data, existWatches: group.exist, childWatches: group.child };
    if (group.persistent.length === 0 && group.recursive.length === 0) {
      writer.int(operations.setWatches.code);
      operations.setWatches.request.write(writer, lists);
    } else {
      writer.int(operations.setWatches2.code);
      operations.setWatches2.request.write(writer, {
        ...lists,
        persistentWatches: group.persistent,
        persistentRecursiveWatches: group.recursive,
      });
    }
    writer.endFrame(frame);
  }
}
