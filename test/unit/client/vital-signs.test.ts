import { VitalSigns } from '../../../src/client/vital-signs.js';

test('an answer to a ping confirms the oldest one that is out, not one that may never have arrived', () => {
  const vital = new VitalSigns(9000);
  vital.connecting(0);
  vital.pingAnswered();
  expect(vital.safeUntilMs).toBe(9000);
  vital.pingSent(3000);
  vital.pingSent(6000);
  vital.pingAnswered();
  expect(vital.safeUntilMs).toBe(12_000);
  vital.pingAnswered();
  expect(vital.safeUntilMs).toBe(15_000);
});

test('pings of a connection that is gone are not answered on the next one', () => {
  const vital = new VitalSigns(9000);
  vital.connecting(0);
  vital.pingAnswered();
  vital.pingSent(3000);
  vital.connecting(5000);
  vital.pingAnswered();
  expect(vital.safeUntilMs).toBe(14_000);
});
