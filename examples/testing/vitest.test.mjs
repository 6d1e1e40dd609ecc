// The same with vitest.
//
//   npm run build && npx vitest run examples/testing/vitest.test.mjs

import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from 'zabra';
import { startServer } from 'zabra/testing';

let server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test('a client waits out a server that hangs', async () => {
  const client = await connect(server.connectString, { sessionTimeoutMs: 4000 });
  server.pause(1);
  const write = client.create('/a', 'written');
  setTimeout(() => server.resume(1), 200);
  await write;
  expect(String((await client.get('/a')).data)).toBe('written');
  await client.close();
});
