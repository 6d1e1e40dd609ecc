// What is proven of a session, and when the next heartbeat is due.

import { VitalSigns } from '../../../src/client/vital-signs.js';

function opened(): VitalSigns {
  const vital = new VitalSigns(9000);
  vital.connecting(100);
  vital.opened();
  return vital;
}

test('a session is safe for its timeout from when the newest proof was sent that has been answered', () => {
  const vital = new VitalSigns(9000);
  vital.connecting(100);
  expect(vital.safeUntilMs).toBe(9000); // nothing is proven
  vital.opened();
  expect(vital.safeUntilMs).toBe(9100);
  vital.proven(6000);
  vital.proven(3000);
  expect(vital.safeUntilMs).toBe(15_000);
});

test('what is sent and heard besides proves nothing, and keeps no heartbeat of a guarded session away', () => {
  const vital = opened();
  vital.sentMs = 5000;
  vital.heardMs = 5000;
  expect(vital.safeUntilMs).toBe(9100);
  expect([vital.heartbeatDueMs(true), vital.heartbeatDueMs(false)]).toEqual([3100, 8000]);
  vital.heartbeatSent(6000);
  expect(vital.safeUntilMs).toBe(9100);
  expect([vital.heartbeatDueMs(true), vital.heartbeatDueMs(false)]).toEqual([9000, 9000]);
  vital.proven(7000); // a write does as well as a heartbeat
  expect(vital.heartbeatDueMs(true)).toBe(10_000);
});

test('a heartbeat that was lost with its connection counts for nothing', () => {
  const vital = opened();
  vital.heartbeatSent(3100);
  vital.connecting(4000);
  expect(vital.heartbeatDueMs(true)).toBe(3100);
});

test('heartbeats come at least every ten seconds', () => {
  const vital = opened();
  vital.timeoutMs = 60_000;
  expect([vital.heartbeatDueMs(true), vital.heartbeatDueMs(false)]).toEqual([10_100, 10_100]);
});
