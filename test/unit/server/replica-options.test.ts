/** What the limits of the configuration become: the smaller of two counts, no limit for 0. */
import { loadConfig } from '../../../src/server/config/index.js';
import { replicaOptions } from '../../../src/server/replica-options.js';

const optionsOf = (flags: Record<string, number>) => replicaOptions(loadConfig({ flags, env: {} }).config);

test('limits of clients', () => {
  expect(optionsOf({})).toMatchObject({
    outstandingMax: 1000,
    throttledWaitMs: 0,
    watchesPerSessionMax: 500_000,
    ephemeralsPerSessionMax: 100_000,
  });
  expect(
    optionsOf({
      globalOutstandingLimit: 500,
      requestThrottleLimit: 300,
      throttledOpWaitTime: 20,
      maxWatchesPerSession: 0,
      maxEphemeralsPerSession: 7,
    }),
  ).toMatchObject({
    outstandingMax: 300,
    throttledWaitMs: 20,
    watchesPerSessionMax: Number.POSITIVE_INFINITY,
    ephemeralsPerSessionMax: 7,
  });
});
