/**
 * Sessions opened per second: TCP connection, handshake and the write that creates the session, a fixed number of them
 * under way at a time. They are closed again afterwards, outside of the measured time.
 */
import { performance } from 'node:perf_hooks';
import type { LoopFigures } from './closed-loop.js';
import { type Address, LoadConnection } from './load-connection.js';
import type { OpeningsJob } from './workloads.js';

const CLOSED_AT_ONCE = 100;

export async function runOpenings(addresses: readonly Address[], job: OpeningsJob): Promise<LoopFigures> {
  const opened: LoadConnection[] = [];
  let begun = 0;
  const startMs = performance.now();
  const openOneByOne = async (): Promise<void> => {
    while (begun < job.connections) {
      const address = addresses[begun++ % addresses.length];
      opened.push(await LoadConnection.open(address));
    }
  };
  await Promise.all(Array.from({ length: job.window }, openOneByOne));
  const secs = (performance.now() - startMs) / 1000;
  while (opened.length > 0) {
    await Promise.all(opened.splice(0, CLOSED_AT_ONCE).map((connection) => connection.close()));
  }
  return { perSec: job.connections / secs, errors: 0 };
}
