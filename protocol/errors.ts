// Bad bytes are a peer's mistake, not ours: the door that reads them turns this error into a closed connection or an
// error reply (E1, E10), and nothing else is disturbed.

/** Bytes that cannot be what they claim to be. `offset` is the position in the frame where reading stopped. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset})`);
    this.offset = offset;
  }
}
