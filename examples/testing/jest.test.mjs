// The same with jest, which needs to be told that these are ES modules.
//
//   npm run build && NODE_OPTIONS=--experimental-vm-modules npx jest --config examples/testing/jest.config.json

import { connect } from 'zabra';
import { startEnsemble } from 'zabra/testing';

let ensemble;
beforeAll(async () => {
  ensemble = await startEnsemble(3);
});
afterAll(() => ensemble.stop());

test('a session that is gone after a minute without its client', async () => {
  const worker = await connect(ensemble.connectString, { sessionTimeoutMs: 60_000 });
  await worker.create('/worker', 'busy', { ephemeral: true });
  await worker.close({ keepSession: true }); // it died without a word
  const observer = await connect(ensemble.connectString);
  expect(await observer.exists('/worker')).not.toBeNull();
  await ensemble.advance(65_000); // does not take that long
  await observer.sync();
  expect(await observer.exists('/worker')).toBeNull();
  await observer.close();
});
