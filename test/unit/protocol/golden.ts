/** The recorded bytes of a real ZooKeeper (test/golden/record-wire.ts), as tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const DIRECTORY = resolve('test/golden/wire');
const LENGTH_BYTES = 4;

export interface GoldenFrame {
  /** `<file>: <case>`, with what of the case it is. */
  readonly name: string;
  readonly kind: 'request' | 'connect request' | 'raw' | 'reply' | 'event' | 'connect';
  readonly operation: string;
  /** The whole frame, with its length. */
  readonly frame: Uint8Array;
  readonly payload: Uint8Array;
  /** Longs as decimal strings, buffers as hex. */
  readonly decoded: { readonly header?: Record<string, unknown>; readonly body?: Record<string, unknown> };
}

interface Recorded {
  readonly hex: string;
  readonly decoded: GoldenFrame['decoded'];
}

interface RecordedCase {
  readonly name: string;
  readonly operation: string;
  readonly request: Recorded | null;
  readonly replies: readonly (Recorded & { readonly kind: 'reply' | 'event' | 'connect' })[];
}

export function goldenFrames(): GoldenFrame[] {
  const frames: GoldenFrame[] = [];
  for (const file of readdirSync(DIRECTORY).sort()) {
    const { cases } = JSON.parse(readFileSync(resolve(DIRECTORY, file), 'utf8')) as { cases: RecordedCase[] };
    for (const { name, operation, request, replies } of cases) {
      const add = (kind: GoldenFrame['kind'], { hex, decoded }: Recorded) => {
        const frame = new Uint8Array(Buffer.from(hex, 'hex'));
        frames.push({
          name: `${file}: ${name}, ${kind}`,
          kind,
          operation,
          frame,
          payload: frame.subarray(LENGTH_BYTES),
          decoded,
        });
      };
      if (request !== null)
        add(operation === 'connect' ? 'connect request' : operation === 'raw' ? 'raw' : 'request', request);
      for (const reply of replies) add(reply.kind, reply);
    }
  }
  return frames;
}

/** Values as the recordings have them: longs as text, buffers as hex. */
export function asRecorded(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(asRecorded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asRecorded(field)]));
}
