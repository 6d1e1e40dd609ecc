/** Which connections are taken, and that the log does not grow with those that are not. */
import { Admission, type AdmissionOptions } from '../../../../src/server/net/admission.js';
import { RareWarnings } from '../../../../src/server/rare-warnings.js';
import { collectingLogger, Happenings } from '../peers/ensemble.js';

function scene(options: Partial<AdmissionOptions>) {
  const log = new Happenings();
  const rate = { tokensMax: 0, fillCount: 1, fillMs: 1 };
  const warnings = new RareWarnings(collectingLogger(log));
  return { log, warnings, admission: new Admission({ perAddressMax: 0, totalMax: 0, rate, ...options }, warnings) };
}

test('so many from one address; one that leaves makes room for one', () => {
  const { admission, log, warnings } = scene({ perAddressMax: 2 });
  expect([admission.enter('a', 0), admission.enter('a', 1), admission.enter('b', 2)]).toEqual([true, true, true]);
  for (let i = 0; i < 1000; i++) expect(admission.enter('a', 3)).toBe(false);
  admission.leave('a');
  expect([admission.enter('a', 2), admission.enter('a', 3)]).toEqual([true, false]);
  warnings.sum(true);
  expect(log.list).toEqual([
    'warn refused a connection from a: it has 2 connections already (maxClientCnxns=2)',
    'warn 1000 more like this, not logged; the last: refused a connection from a: it has 2 connections already (maxClientCnxns=2)',
  ]);
});

test('so many in total, and so many at once', () => {
  const total = scene({ totalMax: 3 });
  expect([total.admission.enter('a', 2), total.admission.enter('b', 3)]).toEqual([true, false]);
  const rate = scene({ rate: { tokensMax: 2, fillCount: 1, fillMs: 3_600_000 } });
  expect([1, 2, 3].map((count) => rate.admission.enter('a', count))).toEqual([true, true, false]);
  expect(rate.log.list).toEqual(['warn refused a connection from a: connections come too fast (connectionMaxTokens)']);
});
