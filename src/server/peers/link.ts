// An established link: frames in, frames out. A frame is the length of a message (4 bytes) and the message; one whose
// message is a single byte below 0x80, which no peer message is, belongs to the transport: "are you there?" and "yes".
//
// Sending queues; `flush` writes what has collected as one write. Small frames are copied together into one buffer; a
// large payload, such as a batch that goes to every learner, is handed to the socket where it lies, shared by all links.

import type { Socket } from 'node:net';
import { ProtocolError } from '../../../protocol/errors.js';
import { decodePeerMessage, type PeerMessage } from '../../../protocol/peer/messages.js';
import { FrameAssembler, LENGTH_BYTES } from '../net/frames.js';
import { addressOf, errorText } from './sockets.js';

export interface PeerLinkOptions {
  /** Of the process on the other side. */
  readonly incarnation: string;
  /** Longest message taken. */
  readonly messageBytesMax: number;
  /** So much may wait for the socket; with more the link breaks. */
  readonly queuedBytesMax: number;
}

export interface PeerLinkEvents {
  message(message: PeerMessage): void;
  /** The link is no more; called once, unless `destroy` was. `isFault`: the other side sent what it must not. */
  broken(reason: string, isFault: boolean): void;
}

/** Payloads up to here are copied next to each other; a copy of so few bytes costs less than one more buffer to write. */
const COPIED_BYTES_MAX = 8192;
/** So many calls of `watch` in a row without a sign of life end the link. */
const SILENT_WATCHES_MAX = 30;
const PROBE = Uint8Array.of(1);
const PROBE_ANSWER = Uint8Array.of(2);

export class PeerLink {
  readonly incarnation: string;
  readonly address: string;
  readonly sinceMs = performance.now();
  private readonly socket: Socket;
  private readonly options: PeerLinkOptions;
  private readonly events: PeerLinkEvents;
  private readonly assembler: FrameAssembler;
  private queue: Uint8Array[] = [];
  private queuedFrameBytes = 0;
  private isClosed = false;
  private bytesInBefore = 0;
  private silentWatches = 0;
  private probes: ((isAlive: boolean) => void)[] = [];

  constructor(socket: Socket, options: PeerLinkOptions, events: PeerLinkEvents) {
    this.socket = socket;
    this.options = options;
    this.events = events;
    this.incarnation = options.incarnation;
    this.address = addressOf(socket);
    this.assembler = new FrameAssembler(options.messageBytesMax);
    socket.on('error', (error) => this.break(errorText(error)));
    socket.on('end', () => this.break('the other side closed it'));
    socket.on('close', () => this.break('it was lost'));
  }

  /** Begins to read. `first`: bytes of it that came already. */
  start(first: Uint8Array): void {
    if (first.length > 0) this.feed(first);
    this.socket.on('data', (chunk: Buffer) => this.feed(chunk));
  }

  /** Everything that waits to be taken by the kernel. */
  get queuedBytes(): number {
    return this.isClosed ? 0 : this.queuedFrameBytes + this.socket.writableLength;
  }

  get bytesIn(): number {
    return this.socket.bytesRead;
  }

  get bytesOut(): number {
    return this.socket.bytesWritten;
  }

  /** The payload must not change any more. It leaves with the next `flush`. */
  send(payload: Uint8Array): void {
    if (this.isClosed) return;
    this.queue.push(payload);
    this.queuedFrameBytes += LENGTH_BYTES + payload.length;
    const { queuedBytesMax } = this.options;
    if (this.queuedBytes > queuedBytesMax) this.break(`more than ${queuedBytesMax} bytes wait for the other side`);
  }

  flush(): void {
    if (this.isClosed || this.queue.length === 0) return;
    const { socket, queue } = this;
    this.queue = [];
    this.queuedFrameBytes = 0;
    const pieces = piecesOf(queue);
    if (pieces.length === 1) {
      socket.write(pieces[0]!);
      return;
    }
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
  }

  /**
   * To be called every few seconds. A side that said nothing since is asked for a sign of life: a machine that was started
   * again knows nothing of this link, and its kernel says so at once. Counts calls and not time, so that after a long
   * pause of this process nobody is given up who is about to be heard.
   */
  watch(): void {
    const wasHeard = this.bytesIn !== this.bytesInBefore;
    this.bytesInBefore = this.bytesIn;
    this.silentWatches = wasHeard ? 0 : this.silentWatches + 1;
    if (wasHeard) return;
    if (this.silentWatches > SILENT_WATCHES_MAX) {
      this.break('the other side gives no sign of life');
      return;
    }
    this.send(PROBE);
    this.flush();
  }

  /** Whether the process on the other side answers within this time. */
  probe(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.probes.push((isAlive) => {
        clearTimeout(timer);
        resolve(isAlive);
      });
      if (this.isClosed) this.answerProbes(false);
      this.send(PROBE);
      this.flush();
    });
  }

  /** Ends the link without a word to anybody. Nothing arrives from it any more, and what waits is not sent. */
  destroy(): void {
    this.isClosed = true;
    this.queue = [];
    this.queuedFrameBytes = 0;
    this.socket.destroy();
    this.answerProbes(false);
  }

  private break(reason: string, isFault = false): void {
    if (this.isClosed) return;
    this.destroy();
    this.events.broken(reason, isFault);
  }

  private feed(chunk: Uint8Array): void {
    if (this.isClosed) return;
    // Messages keep views of the bytes they came in. That is safe: Node gives each read memory of its own, and so does
    // the assembler for a frame that came in pieces. It has to be a plain Uint8Array, whose `slice` copies.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    try {
      this.assembler.feed(bytes, this.onFrames);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.break(`the other side sent ${error.message}`, true);
    }
  }

  private readonly onFrames = (bytes: Uint8Array, start: number, end: number): void => {
    let at = start;
    while (at < end && !this.isClosed) {
      const from = at + LENGTH_BYTES;
      at = from + lengthAt(bytes, at);
      const payload = bytes.subarray(from, at);
      if (payload.length === 1) this.transportFrame(payload[0]!);
      else this.events.message(decodePeerMessage(payload));
    }
  };

  private transportFrame(code: number): void {
    if (code === PROBE[0]) {
      this.send(PROBE_ANSWER);
      this.flush();
    } else if (code === PROBE_ANSWER[0]) this.answerProbes(true);
    else throw new ProtocolError(`a frame of one byte, ${code}`, 0);
  }

  private answerProbes(isAlive: boolean): void {
    const { probes } = this;
    this.probes = [];
    for (const answer of probes) answer(isAlive);
  }
}

/** The frames of these payloads in as few buffers as there are without copying what is large. */
function piecesOf(payloads: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (start < payloads.length) {
    // A run: small frames, and the length of the large one behind them.
    let end = start;
    let runBytes = 0;
    while (end < payloads.length && payloads[end]!.length <= COPIED_BYTES_MAX) {
      runBytes += LENGTH_BYTES + payloads[end++]!.length;
    }
    const large = payloads[end];
    const run = Buffer.allocUnsafe(large === undefined ? runBytes : runBytes + LENGTH_BYTES);
    let at = 0;
    for (const payload of payloads.slice(start, end)) {
      at = run.writeUInt32BE(payload.length, at);
      run.set(payload, at);
      at += payload.length;
    }
    if (large !== undefined) run.writeUInt32BE(large.length, at);
    pieces.push(run);
    if (large !== undefined) pieces.push(large);
    start = end + 1;
  }
  return pieces;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
