// Everything a replica asks of the world around it, in order: effects collect here and are taken once a turn (io.ts). For
// zab this is its surroundings.

import type { PeerMessage } from '../../protocol/peer/messages.js';
import type { Effect, Note } from './io.js';
import type { Surroundings } from './zab/surroundings.js';

export class Outbox implements Surroundings {
  private readonly clock: () => number;
  private effects: Effect[] = [];

  /** `clock`: the monotonic time of this turn, in ms. */
  constructor(clock: () => number) {
    this.clock = clock;
  }

  get nowMs(): number {
    return this.clock();
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** All effects since the last call. */
  take(): readonly Effect[] {
    const taken = this.effects;
    this.effects = [];
    return taken;
  }

  send(to: readonly number[], message: PeerMessage): void {
    this.emit({ type: 'send', to, message });
  }

  resetLink(peer: number, reason: string): void {
    this.emit({ type: 'resetLink', peer, reason });
  }

  append(firstZxid: number, lastZxid: number, bytes: Uint8Array): void {
    this.emit({ type: 'append', firstZxid, lastZxid, bytes });
  }

  truncate(afterZxid: number): void {
    this.emit({ type: 'truncate', afterZxid });
  }

  storeEpochs(acceptedEpoch: number, currentEpoch: number): void {
    this.emit({ type: 'storeEpochs', acceptedEpoch, currentEpoch });
  }

  readLog(reader: number, afterZxid: number): void {
    this.emit({ type: 'readLog', reader, afterZxid });
  }

  findLogEnd(reader: number, zxid: number): void {
    this.emit({ type: 'findLogEnd', reader, zxid });
  }

  openSnapshot(reader: number): void {
    this.emit({ type: 'openSnapshot', reader });
  }

  readSnapshot(reader: number): void {
    this.emit({ type: 'readSnapshot', reader });
  }

  closeSnapshot(reader: number): void {
    this.emit({ type: 'closeSnapshot', reader });
  }

  keepLog(afterZxid: number): void {
    this.emit({ type: 'keepLog', afterZxid });
  }

  note(level: Note['level'], message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.emit({ type: 'note', level, message, ...(fields === undefined ? {} : { fields }) });
  }
}
