/**
 * Free TCP ports for servers under test. The kernel picks one for a listener that is closed again at once; it does
 * not hand the same port out twice in a row, so the short gap before the server binds it is harmless in practice.
 */
import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** A port on 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once('error', reject);
    listener.listen(0, LOOPBACK, () => {
      const address = listener.address();
      if (address === null || typeof address === 'string') {
        reject(new Error(`a TCP listener has no port: ${String(address)}`));
        return;
      }
      listener.close(() => resolve(address.port));
    });
  });
}
