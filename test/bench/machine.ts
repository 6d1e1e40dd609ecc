/** What the figures depend on besides the servers: the machine, and what else it is doing. Reads Linux's /proc. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const IDLE_SHARE = 0.85;
const IDLE_SAMPLE_MS = 200;
const MIB = 1_048_576;

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryMiB: number;
  readonly node: string;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryMiB: Math.round(totalmem() / MIB),
    node: process.version,
  };
}

/** Load average of the last minute, as text. */
export function load(): string {
  return loadavg()[0].toFixed(2);
}

/** Waits until the machine does next to nothing, but no longer than `timeoutMs`; returns whether it came to that. */
export async function waitForIdle(timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  do {
    const before = cpuTicks();
    await sleep(IDLE_SAMPLE_MS);
    const after = cpuTicks();
    if ((after.idle - before.idle) / Math.max(1, after.total - before.total) >= IDLE_SHARE) return true;
  } while (Date.now() < deadline);
  return false;
}

function cpuTicks(): { idle: number; total: number } {
  const [user, nice, system, idle, ioWait, irq, softIrq] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { idle: idle + ioWait, total: user + nice + system + idle + ioWait + irq + softIrq };
}

/** Memory of a process that is in RAM, in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) / 1024;
}

/** Processor time a process has used so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime in clock ticks, which Linux shows as 100 per second on every architecture Node runs on.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
