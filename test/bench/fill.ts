/**
 * Fills a server: `nodes` znodes below parents of 1000 each, created over a few connections with a deep window. Done when
 * everything was acknowledged.
 */
import { performance } from 'node:perf_hooks';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { LoopFigures } from './closed-loop.js';
import { type Address, LoadConnection } from './load-connection.js';
import { writeCreate } from './requests.js';
import type { FillJob } from './workloads.js';

const ROOT = '/bench-fill';
const CHILDREN = 1000;
const CONNECTIONS = 4;
const WINDOW = 250;

/** Path of znode number `index`. */
export function filledPath(index: number): string {
  return `${parentPath(Math.floor(index / CHILDREN))}/n${index}`;
}

function parentPath(parent: number): string {
  return `${ROOT}/p${parent}`;
}

/** @param onProgress told now and then how many were created */
export async function runFill(
  addresses: readonly Address[],
  job: FillJob,
  onProgress: (nodes: number) => void,
): Promise<LoopFigures> {
  const startMs = performance.now();
  const first = await LoadConnection.open(addresses[0]);
  const none = new Uint8Array(0);
  const parents = Math.ceil(job.nodes / CHILDREN);
  await first.call(1, (writer) => writeCreate(writer, 1, ROOT, none));
  for (let from = 0; from < parents; from += WINDOW) {
    const count = Math.min(WINDOW, parents - from);
    await first.call(count, (writer, i) => writeCreate(writer, from + i + 1, parentPath(from + i), none));
  }
  const connections = [first];
  while (connections.length < CONNECTIONS)
    connections.push(await LoadConnection.open(addresses[connections.length % addresses.length]));

  let created = 0;
  let errors = 0;
  let next = 0;
  const data = new Uint8Array(job.dataBytes).fill(0x78);
  const fillBy = (connection: LoadConnection): Promise<void> =>
    new Promise((resolve) => {
      let inFlight = 0;
      const send = () => {
        const writer = new JuteWriter(WINDOW * 256);
        for (; inFlight < WINDOW && next < job.nodes; inFlight++, next++) {
          writeCreate(writer, (next % 0x7fff_ffff) + 1, filledPath(next), data);
        }
        if (writer.position > 0) connection.send(writer.toBytes());
        else if (inFlight === 0) resolve();
      };
      connection.handle({
        reply: (err) => {
          inFlight--;
          if (err !== 0) errors++;
          else if (++created % 50_000 === 0) onProgress(created);
        },
        readDone: send,
      });
      send();
    });
  await Promise.all(connections.map(fillBy));
  await Promise.all(connections.map((connection) => connection.close()));
  return { perSec: (created * 1000) / (performance.now() - startMs), errors };
}
