/**
 * A well-behaved client beside the ones that misbehave: it writes and reads again and again and notes the longest it
 * had to wait. It runs in a thread of its own, so that it measures the server and not the test.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createBody, FrameClient, Op, readBody, setDataBody } from './frame-client.js';

const PATH = '/healthy';
const PAUSE_MS = 20;

export interface Health {
  readonly rounds: number;
  /** Longest time from a request to its answer. */
  readonly worstMs: number;
  /** Why it gave up. */
  readonly failure: string | null;
}

export class HealthyClient {
  private readonly result: Promise<Health>;

  private constructor(private readonly worker: Worker) {
    this.result = new Promise((resolve) => {
      worker.on('message', (message: Health | 'ready') => {
        if (message !== 'ready') resolve(message);
      });
      worker.on('error', (error) => resolve({ rounds: 0, worstMs: 0, failure: String(error) }));
    });
  }

  /** Resolves when the client has its session. */
  static async start(port: number): Promise<HealthyClient> {
    const client = new HealthyClient(new Worker(new URL(import.meta.url), { workerData: { port } }));
    await new Promise((resolve) => client.worker.once('message', resolve));
    return client;
  }

  async stop(): Promise<Health> {
    this.worker.postMessage('stop');
    return this.result;
  }
}

async function live(port: number): Promise<Health> {
  let stopped = false;
  parentPort?.once('message', () => {
    stopped = true;
  });
  let rounds = 0;
  let worstMs = 0;
  const timed = async (client: FrameClient, operation: number, body: Buffer): Promise<void> => {
    const startMs = performance.now();
    const { err } = await client.call(operation, body);
    worstMs = Math.max(worstMs, performance.now() - startMs);
    if (err !== 0) throw new Error(`operation ${operation} failed with ${err}`);
  };
  try {
    const client = await FrameClient.session(port);
    await client.call(Op.create, createBody(PATH));
    parentPort?.postMessage('ready');
    while (!stopped) {
      await timed(client, Op.setData, setDataBody(PATH, Buffer.from(String(rounds))));
      await timed(client, Op.getData, readBody(PATH));
      rounds++;
      await sleep(PAUSE_MS);
    }
    client.close();
    return { rounds, worstMs, failure: null };
  } catch (error) {
    parentPort?.postMessage('ready');
    return { rounds, worstMs, failure: String(error) };
  }
}

if (!isMainThread && workerData !== null && typeof workerData === 'object' && 'port' in workerData) {
  parentPort?.postMessage(await live(workerData.port as number));
}
