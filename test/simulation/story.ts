/**
 * A run as something to read: one line for each thing that matters, with its time and who did it.
 *
 *     412.3  s2     LEADS epoch 3, with history to 2:1f
 *     418.0  c1     ← setData /a: ok at 3:4
 */
import { Code } from '../../protocol/client/errors.js';
import { counterOf, epochOf } from '../../protocol/ids.js';
import type { VirtualWorld } from '../../src/testing/index.js';
import type { Observation } from './history.js';

export class Story {
  readonly lines: string[] = [];

  constructor(
    /** Called with each line as it comes. */
    private readonly print: (line: string) => void = () => {},
  ) {}

  /** For whoever has something to tell. */
  teller(world: VirtualWorld): (who: string, what: string) => void {
    return (who, what) => {
      const line = `${world.nowMs.toFixed(1).padStart(8)}  ${who.padEnd(5)}  ${what}`;
      this.lines.push(line);
      this.print(line);
    };
  }
}

/** Epoch and counter: 3:1f. */
export function zxidText(zxid: number): string {
  return `${epochOf(zxid)}:${counterOf(zxid).toString(16)}`;
}

/** What a client did or saw, or null when that is not worth a line. */
export function observationText(observation: Observation): string | null {
  switch (observation.kind) {
    case 'connecting': {
      const { server, sessionId, lastZxidSeen } = observation;
      return sessionId === 0n
        ? `→ s${server}: a new session`
        : `→ s${server}: session ${sessionId.toString(16)} again, has seen ${zxidText(lastZxidSeen)}`;
    }
    case 'sent':
      return `→ #${observation.xid} ${observation.operation} ${subject(observation.request)}`;
    case 'received': {
      const { item } = observation;
      if (item.kind === 'closed') return '← the connection is closed';
      if (item.kind === 'event') return `← event ${item.type} on ${item.path}`;
      if (item.kind === 'connect') {
        return item.timeoutMs > 0 ? `← session ${item.sessionId.toString(16)}` : '← the session has expired';
      }
      const outcome = item.code === 0 ? 'ok' : (CODES.get(item.code) ?? String(item.code));
      return `← #${item.xid} ${item.operation}: ${outcome} at ${zxidText(item.zxid)}`;
    }
  }
}

const CODES = new Map(Object.entries(Code).map(([name, code]) => [code as number, name]));

function subject(request: unknown): string {
  const { path } = (request ?? {}) as { path?: string };
  return path ?? '';
}
