// Tests of your own program against servers inside the test process, with Node's test runner.
//
//   npm run build && node --test examples/testing/node.test.mjs
//
// (In TypeScript, and from Node 24 on, `await using server = await startServer()` does without the calls of after.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'zabra';
import { Lock } from 'zabra/recipes';
import { startEnsemble, startServer } from 'zabra/testing';

test('an ephemeral node goes with its session', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const worker = await connect(server.connectString);
  const observer = await connect(server.connectString);
  t.after(() => Promise.all([worker.close(), observer.close()]));
  await worker.create('/worker', 'busy', { ephemeral: true });
  await server.expireSession(worker); // as if it had been silent for its timeout
  assert.equal(await observer.exists('/worker'), null);
});

test('a lock survives the loss of the leader', async (t) => {
  const ensemble = await startEnsemble(3);
  t.after(() => ensemble.stop());
  const client = await connect(ensemble.connectString);
  t.after(() => client.close());
  const lease = await new Lock(client, '/locks/report').acquire();
  await ensemble.killLeader();
  await ensemble.awaitLeader();
  assert.equal(lease.isHeld, true);
  await lease.release();
  assert.deepEqual(await client.children('/locks/report'), []);
});

test('who has a quorum goes on, and the others learn of it when the network heals', async (t) => {
  const ensemble = await startEnsemble(3);
  t.after(() => ensemble.stop());
  const leader = await ensemble.awaitLeader();
  const others = [1, 2, 3].filter((id) => id !== leader);
  ensemble.partition([leader], others);
  const client = await connect(ensemble.connectStringOf(...others));
  t.after(() => client.close());
  await client.create('/with-a-quorum');
  ensemble.heal();
  await ensemble.awaitWhole();
  const late = await connect(ensemble.connectStringOf(leader));
  t.after(() => late.close());
  await late.sync();
  assert.notEqual(await late.exists('/with-a-quorum'), null);
});
