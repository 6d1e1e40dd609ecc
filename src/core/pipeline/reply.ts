// Replies and events on their way into a connection's output (E9, E10, E61). An event is encoded once, however many
// watch it; a reply is written once, in place.

import { KeeperState, Xid } from '../../../protocol/client/constants.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';

const HEADER_BYTES = 16;

/** Starts a reply; the body is written behind it. Returns the position that endReply needs. */
export function beginReply(output: JuteWriter, xid: number): number {
  output.reserve(4 + HEADER_BYTES);
  const start = output.position;
  output.view.setInt32(start + 4, xid);
  output.position = start + 4 + HEADER_BYTES;
  return start;
}

/** Ends a reply. With an error code its body, if any, is taken back (E10), unless it is to stay. */
export function endReply(output: JuteWriter, start: number, zxid: number, code: number, keepsBody = false): void {
  if (code !== 0 && !keepsBody) output.position = start + 4 + HEADER_BYTES;
  const { view } = output;
  view.setInt32(start, output.position - start - 4);
  view.setInt32(start + 8, Math.floor(zxid / 0x1_0000_0000));
  view.setInt32(start + 12, zxid >>> 0);
  view.setInt32(start + 16, code);
}

/** Encodes an event into `frame`, which is emptied first: a whole frame with its length (E61). */
export function encodeEvent(frame: JuteWriter, eventType: number, path: string, zxid: number): void {
  frame.clear();
  const start = frame.beginFrame();
  frame.int(Xid.notification);
  frame.longNumber(zxid);
  frame.int(0);
  frame.int(eventType);
  frame.int(KeeperState.syncConnected);
  frame.ustring(path);
  frame.endFrame(start);
}
