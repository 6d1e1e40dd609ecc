// A port that takes TLS and plain bytes tells them apart by the first byte: a TLS handshake begins with 0x16, and
// neither a frame's length, a four-letter word nor an HTTP method does.

import type { Socket } from 'node:net';

export const TLS_HANDSHAKE = 0x16;

/**
 * Calls `then` with the first byte a client sends, which stays in the socket for the next reader: a reader of plain
 * bytes has to resume the socket. Never calls it for a client that sends nothing; a time limit is the caller's.
 */
export function whenFirstByte(socket: Socket, then: (byte: number) => void): void {
  socket.once('data', (chunk) => {
    socket.pause();
    socket.unshift(chunk);
    then(chunk[0] ?? 0);
  });
}
