// Sees to it that the server refuses writes before it runs out of memory: a process that the system ends, or that V8
// gives up, takes its clients' sessions to the brink and its ensemble a member. What counts is what is really in use,
// which is known when garbage has just been collected: the JavaScript heap by its own limit, and heap and buffers
// together (the tree lies in buffers) by that of the machine, of the container or of the configuration.
//
//   in use ≥ 85 % of a limit ─▶ scarce: what needs more is refused       < 75 % of both ─▶ enough
//
// V8 collects ever more often as the heap nears its limit, so the figure is fresh when it matters. While memory is
// scarce, a reading in between is good enough to end it, since garbage can only make it too high.

import { totalmem } from 'node:os';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Logger } from './logging.js';

const SCARCE_SHARE = 0.85;
const ENOUGH_SHARE = 0.75;
const LOOK_MS = 500;
/** Buffers are given back in the background, after the collection that found nobody to use them. */
const SWEEP_MS = 100;
const MIB = 1_048_576;

export interface MemoryUse {
  readonly heapBytes: number;
  /** With buffers outside of the heap. */
  readonly totalBytes: number;
}

export interface MemoryLimits {
  readonly heapBytes: number;
  readonly totalBytes: number;
}

/** Called when memory has become scarce, or is not any more. */
export type OnMemory = (isScarce: boolean) => void;

export class MemoryGuard {
  private readonly limits: MemoryLimits;
  private readonly onChange: OnMemory;
  private readonly logger: Logger;
  private isScarce = false;

  constructor(limits: MemoryLimits, onChange: OnMemory, logger: Logger) {
    this.limits = limits;
    this.onChange = onChange;
    this.logger = logger;
  }

  /** Garbage has just been collected: this is in use. */
  collected(use: MemoryUse): void {
    const share = this.share(use);
    if (!this.isScarce && share >= SCARCE_SHARE) this.become(true, use);
    else this.looked(use);
  }

  /** So much is in use at most. */
  looked(use: MemoryUse): void {
    if (this.isScarce && this.share(use) < ENOUGH_SHARE) this.become(false, use);
  }

  private share({ heapBytes, totalBytes }: MemoryUse): number {
    return Math.max(heapBytes / this.limits.heapBytes, totalBytes / this.limits.totalBytes);
  }

  private become(isScarce: boolean, use: MemoryUse): void {
    this.isScarce = isScarce;
    const { limits } = this;
    const figures =
      `heap ${mib(use.heapBytes)} of ${mib(limits.heapBytes)} MiB, ` +
      `with buffers ${mib(use.totalBytes)} of ${mib(limits.totalBytes)} MiB`;
    if (isScarce) {
      this.logger.error(`memory is scarce: what needs more is refused, deletes are taken (${figures})`, {
        remedy: 'delete nodes, give the server more memory, or raise --max-old-space-size or memoryLimitInMb',
      });
    } else this.logger.info(`there is enough memory again: writes are taken as before (${figures})`);
    this.onChange(isScarce);
  }
}

/** A guard that watches this process. `limitMib`: of the whole process; 0: what the machine or container has. */
export function startMemoryGuard(limitMib: number, onChange: OnMemory, logger: Logger): { stop(): void } {
  const limits = {
    heapBytes: getHeapStatistics().heap_size_limit,
    totalBytes: limitMib > 0 ? limitMib * MIB : machineBytes(),
  };
  const guard = new MemoryGuard(limits, onChange, logger);
  let swept: NodeJS.Timeout | null = null;
  const observer = new PerformanceObserver((entries) => {
    if (swept !== null || !entries.getEntries().some(isMajor)) return;
    swept = setTimeout(() => {
      swept = null;
      guard.collected(memoryUse());
    }, SWEEP_MS).unref();
  });
  observer.observe({ entryTypes: ['gc'] });
  const timer = setInterval(() => guard.looked(memoryUse()), LOOK_MS).unref();
  return {
    stop: () => {
      observer.disconnect();
      clearInterval(timer);
      if (swept !== null) clearTimeout(swept);
    },
  };
}

function isMajor(entry: PerformanceEntry & { readonly detail?: unknown }): boolean {
  return (entry.detail as { readonly kind?: number } | undefined)?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

function memoryUse(): MemoryUse {
  const { heapUsed, external } = process.memoryUsage();
  return { heapBytes: heapUsed, totalBytes: heapUsed + external };
}

function machineBytes(): number {
  const machine = totalmem();
  const container = process.constrainedMemory?.() ?? 0;
  return container > 0 && container < machine ? container : machine;
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB);
}
