/** What is told about a stall of the event loop, with clocks of the test's own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../../src/server/config/index.js';
import type { Logger } from '../../../src/server/logging.js';
import { PauseMonitor, startPauseMonitor } from '../../../src/server/pause-monitor.js';

function scene() {
  const lines: string[] = [];
  const note = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  return { lines, logger };
}

function scripted() {
  const { lines, logger } = scene();
  let nowMs = 1000;
  let usedMs = 50;
  const monitor = new PauseMonitor({
    intervalMs: 500,
    infoMs: 1000,
    warnMs: 10_000,
    logger,
    clock: () => nowMs,
    cpuClock: () => usedMs,
  });
  monitor.start();
  const after = (passedMs: number, cpuMs: number) => {
    nowMs += passedMs;
    usedMs += cpuMs;
    monitor.look();
  };
  return { lines, monitor, after };
}

test('a timer that comes in time is measured and says nothing', () => {
  const { lines, monitor, after } = scripted();
  after(500, 500);
  after(1500, 10);
  expect(lines).toEqual([]);
  expect(monitor.summary()).toMatchObject({ count: 2, sum: 1000, max: 1000, min: 0 });
  monitor.stop();
});

test('a stall beyond a threshold is told with its length and its cause', () => {
  const { lines, monitor, after } = scripted();
  after(1501, 1400);
  after(4500, 20);
  after(10_501, 9000);
  expect(lines).toEqual([
    'info the event loop stood still for 1001 ms: the process was busy',
    'info the event loop stood still for 4000 ms: the process was stopped, or the machine busy',
    'warn the event loop stood still for 10001 ms: the process was busy',
  ]);
  expect([monitor.infos, monitor.warnings]).toEqual([2, 1]);
  const { percentiles = [] } = monitor.summary();
  expect(percentiles[0]).toBeGreaterThanOrEqual(4000);
  expect(percentiles[3]).toBeGreaterThanOrEqual(10_001);
  monitor.stop();
});

test('a real stall is noticed, and a monitor that was stopped looks no more', async () => {
  const { lines, logger } = scene();
  const monitor = new PauseMonitor({ intervalMs: 5, infoMs: 20, warnMs: 60_000, logger });
  monitor.start();
  const endMs = performance.now() + 60;
  while (performance.now() < endMs);
  await sleep(20);
  monitor.stop();
  expect(lines[0]).toMatch(/^info the event loop stood still for \d+ ms/);
  const { count } = monitor.summary();
  await sleep(20);
  expect(monitor.summary().count).toBe(count);
});

test('it is off unless the configuration asks for it', () => {
  const { logger } = scene();
  const config = (flags: Record<string, string>) => loadConfig({ flags, env: {} }).config;
  expect(startPauseMonitor(config({}), logger)).toBeNull();
  const monitor = startPauseMonitor(config({ 'jvm.pause.monitor': 'true' }), logger);
  expect(monitor?.summary().count).toBe(0);
  monitor?.stop();
});
