import { failoverLines, lossesOf } from '../../bench/failover.js';
import { howIn } from '../../bench/lagging.js';
import { coincidences } from '../../bench/pauses.js';
import type { FailoverFigures } from '../../bench/workloads.js';

function figures(differences: Partial<FailoverFigures> = {}): FailoverFigures {
  return {
    perSec: 1000,
    errors: 0,
    outageMs: 100,
    worstClientMs: 150,
    writesLost: 0,
    sessionsLost: 0,
    ephemeralsLost: 0,
    eventsLost: 0,
    eventsTwice: 0,
    ...differences,
  };
}

describe('failover', () => {
  test('names what was lost, of all rounds together', () => {
    expect(lossesOf([figures(), figures()])).toBe('');
    expect(lossesOf([figures({ sessionsLost: 1 }), figures({ sessionsLost: 2, eventsTwice: 1 })])).toBe(
      '3 sessions lost, 1 events seen twice',
    );
    expect(lossesOf([figures({ writesLost: 4, ephemeralsLost: 1, eventsLost: 2, errors: 9 })])).toBe(
      '4 acknowledged writes lost, 1 ephemeral nodes lost, 2 events lost, 9 writes refused',
    );
  });

  test('medians of the rounds, and the share of the time', () => {
    const outages = (...all: number[]) => all.map((outageMs) => figures({ outageMs }));
    const [outage] = failoverLines(
      new Map([
        ['zabra', outages(30, 900, 50)],
        ['zookeeper', outages(200, 100, 400)],
      ]),
    );
    expect(outage).toMatchObject({ zabra: 50, zookeeper: 200, lessIsBetter: true });
    expect(outage.remark).toMatch(/^0\.25 of the time/);
  });

  test('one server alone has no share', () => {
    expect(failoverLines(new Map([['zabra', [figures()]]]))[0]).toMatchObject({ zookeeper: undefined, remark: '' });
  });
});

describe('lagging', () => {
  test.each([
    ['{"message":"linked to server 1"}\n{"message":"synchronising server 1: SNAP","kind":"SNAP"}', 'SNAP'],
    ['{"message":"synchronising server 3: DIFF"}', 'DIFF'],
    ['INFO  Getting a diff from the leader 0x100000010', 'DIFF'],
    ['INFO  Getting a snapshot from leader 0x100000010', 'SNAP'],
    ['WARN  Truncating log to get in sync with the leader 0x10', 'TRUNC'],
    ['nothing of that', '?'],
  ])('%s', (log, how) => expect(howIn(log)).toBe(how));
});

describe('pauses', () => {
  const gap = { fromMs: 100, toMs: 160 };
  const checkpoint = (server: number, fromMs: number, toMs: number) => ({ server, fromMs, toMs });

  test('names the servers that wrote a checkpoint at the time', () => {
    const checkpoints = [
      checkpoint(3, 150, 300),
      checkpoint(1, 0, 101),
      checkpoint(1, 120, 130),
      checkpoint(2, 160, 170),
    ];
    expect(coincidences(gap, checkpoints, [])).toBe('checkpoint of server 1, checkpoint of server 3');
  });

  test('names the generator when most of the pause was its own', () => {
    expect(coincidences(gap, [], [{ fromMs: 99, toMs: 150 }])).toBe('the generator itself stood still for 51.0 ms');
    expect(coincidences(gap, [], [{ fromMs: 99, toMs: 110 }])).toBe('');
    expect(coincidences(gap, [], [{ fromMs: 200, toMs: 300 }])).toBe('');
  });
});
