/** Reads chunk after chunk until an empty one, asking for the next while the owner works on the one before. */
export async function* stream<Row>(read: (last: Row | null) => Promise<Row[]>): AsyncGenerator<Row[]> {
  let chunk = await read(null);
  while (chunk.length > 0) {
    const ahead = read(chunk[chunk.length - 1]);
    // Damage found ahead is thrown when its turn comes, not as an unhandled rejection.
    ahead.catch(() => {});
    yield chunk;
    chunk = await ahead;
  }
}
