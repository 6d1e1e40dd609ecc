// Calls about watches that overlap with others on the same path, on a real server: nobody's watch may go with another's.

import { type Client, connect, type WatchEvent } from '../../../src/client/index.js';
import { startTestServer, type TestServer } from '../../../src/testing/index.js';

let server: TestServer;
let client: Client;
let other: Client;
beforeAll(async () => {
  server = await startTestServer();
  client = await connect(server.connectString);
  other = await connect(server.connectString);
}, 60_000);
afterAll(async () => {
  await Promise.all([client?.close(), other?.close()]);
  await server?.stop();
});

/** A watch with the types of the events it got. */
function recorder(): { watch: (event: WatchEvent) => void; seen: string[] } {
  const seen: string[] = [];
  return { watch: ({ type }) => seen.push(type), seen };
}

/** Changes the node and comes back when the client has been told of it, if it is told at all (E59). */
async function change(path: string): Promise<void> {
  await other.set(path, 'changed');
  await client.sync(path);
}

test('a watch that is being removed does not take one along that is being set', async () => {
  await client.create('/being-set');
  const old = recorder();
  const young = recorder();
  await client.get('/being-set', { watch: old.watch });
  const reading = client.get('/being-set', { watch: young.watch });
  await client.removeWatches('/being-set', { watch: old.watch, local: true });
  await reading;
  await change('/being-set');
  expect({ old: old.seen, young: young.seen }).toEqual({ old: ['removed'], young: ['dataChanged'] });
});

test.each([
  ['one watch', true],
  ['all watches', false],
])('what is set after the removal of %s stays', async (_, one) => {
  const path = `/set-after-${one}`;
  await client.create(path);
  const old = recorder();
  const again = recorder();
  await client.get(path, { watch: old.watch });
  const removing = client.removeWatches(path, one ? { watch: old.watch } : {});
  await Promise.all([removing, client.get(path, { watch: old.watch }), client.get(path, { watch: again.watch })]);
  await change(path);
  expect({ old: old.seen, again: again.seen }).toEqual({ old: ['removed', 'dataChanged'], again: ['dataChanged'] });
});

test('what is being set before the removal of all watches goes with them', async () => {
  await client.create('/all');
  const old = recorder();
  const young = recorder();
  await client.get('/all', { watch: old.watch });
  await Promise.all([client.get('/all', { watch: young.watch }), client.removeWatches('/all')]);
  await change('/all');
  expect({ old: old.seen, young: young.seen }).toEqual({ old: ['removed'], young: ['removed'] });
});

test('a stream on a signal that has aborted ends at once with its reason', async () => {
  await client.create('/aborted');
  const stream = client.watch('/aborted', { signal: AbortSignal.abort(new Error('too late')) });
  await expect(stream.next()).rejects.toThrow('too late');
  await stream.ready.catch(() => {});
  await client.sync('/');
  expect(await client.checkWatches('/aborted')).toBe(false);
});
