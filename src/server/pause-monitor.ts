// Notices when this process could not run for a while: a timer that is late shows that the event loop stood still. Its
// options are those of ZooKeeper's JvmPauseMonitor, and a stall is told for the same reason: while it lasts nobody is
// served, and after it sessions may expire or a leader be given up with nothing else in the log to explain it.
//
// The processor time used meanwhile tells the two causes apart: about as long as the stall, and this process was busy
// (a large request, garbage collection); close to nothing, and it was stopped, or its machine suspended or overloaded.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { SummaryFacts } from './admin/server-facts.js';
import type { ServerConfig } from './config/index.js';
import type { Logger } from './logging.js';

export interface PauseMonitorOptions {
  /** How often is looked, in ms (jvm.pause.sleep.time.ms). */
  readonly intervalMs: number;
  /** Stalls longer than these, in ms, are logged as info and as a warning. */
  readonly infoMs: number;
  readonly warnMs: number;
  readonly logger: Logger;
  /** In ms, monotonic; the process's clock by default. */
  readonly clock?: () => number;
  /** Processor time used so far, in ms; the process's by default. */
  readonly cpuClock?: () => number;
}

/** As the configuration asks for it, running; null when it does not. */
export function startPauseMonitor(config: ServerConfig, logger: Logger): PauseMonitor | null {
  if (!config.eventLoopMonitorEnabled) return null;
  const monitor = new PauseMonitor({
    intervalMs: config.eventLoopMonitorIntervalMs,
    infoMs: config.eventLoopStallInfoThresholdMs,
    warnMs: config.eventLoopStallWarnThresholdMs,
    logger,
  });
  monitor.start();
  return monitor;
}

export class PauseMonitor {
  /** Stalls beyond the two thresholds. */
  infos = 0;
  warnings = 0;
  private readonly options: PauseMonitorOptions;
  private readonly clock: () => number;
  private readonly cpuClock: () => number;
  /** In microseconds from 1 on: a histogram takes no 0. */
  private readonly stalls: RecordableHistogram = createHistogram();
  private totalMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private lastMs = 0;
  private lastCpuMs = 0;

  constructor(options: PauseMonitorOptions) {
    this.options = options;
    this.clock = options.clock ?? (() => performance.now());
    this.cpuClock = options.cpuClock ?? processorMs;
  }

  start(): void {
    this.stop();
    this.mark();
    this.timer = setInterval(() => this.look(), this.options.intervalMs).unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** How late the timer was, in ms, each time: ZooKeeper's metric jvm_pause_time_ms. */
  summary(): SummaryFacts {
    const { stalls, totalMs } = this;
    const { count, min, max } = stalls;
    if (count === 0) return { count: 0, sum: 0, min: 0, max: 0, percentiles: [0, 0, 0, 0] };
    const at = (percentile: number) => wholeMs(stalls.percentile(percentile));
    return {
      count,
      sum: Math.round(totalMs),
      min: wholeMs(min),
      max: wholeMs(max),
      percentiles: [at(50), at(95), at(99), at(99.9)],
    };
  }

  /** What the timer does; public so that a test needs no real stall. */
  look(): void {
    const { intervalMs, infoMs, warnMs, logger } = this.options;
    const stallMs = Math.max(0, this.clock() - this.lastMs - intervalMs);
    const cpuMs = this.cpuClock() - this.lastCpuMs;
    this.mark();
    this.stalls.record(Math.max(1, Math.round(stallMs * 1000)));
    this.totalMs += stallMs;
    if (stallMs <= infoMs && stallMs <= warnMs) return;
    const fields = { stallMs: Math.round(stallMs), cpuMs: Math.round(cpuMs) };
    const cause = cpuMs < stallMs / 2 ? 'the process was stopped, or the machine busy' : 'the process was busy';
    const message = `the event loop stood still for ${fields.stallMs} ms: ${cause}`;
    if (stallMs > warnMs) {
      this.warnings++;
      logger.warn(message, fields);
    } else {
      this.infos++;
      logger.info(message, fields);
    }
  }

  private mark(): void {
    this.lastMs = this.clock();
    this.lastCpuMs = this.cpuClock();
  }
}

function wholeMs(microseconds: number): number {
  return Math.round(microseconds / 1000);
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
