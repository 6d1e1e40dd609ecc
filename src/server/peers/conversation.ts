// The exchange of greetings over one socket, from its first byte until it becomes a link or is given up. Whatever the
// other side does or leaves, it ends: at a deadline, at too many bytes, at the first that are no greeting.

import type { Socket } from 'node:net';
import {
  decodeGreeting,
  encodeGreeting,
  encodeRefusal,
  GREETING_BYTES_MAX,
  type Greeting,
  type GreetingKind,
} from './greeting.js';
import { addressOf, errorText, hostOf } from './sockets.js';
import { describeStranger } from './strangers.js';

/** The other side gave up, fell silent, or is no server of ours. */
export class ConversationEnded extends Error {
  /** One of few, for limits on logging. */
  readonly kind: 'stranger' | 'silent' | 'closed' | 'too-much' | 'shutdown';

  constructor(kind: ConversationEnded['kind'], message: string) {
    super(message);
    this.name = 'ConversationEnded';
    this.kind = kind;
  }
}

/** How long the other side may take to read why it was refused. */
const REFUSAL_LINGER_MS = 1000;
const NOTHING = Buffer.alloc(0);

export class Conversation {
  readonly socket: Socket;
  /** Where the other side is, as text; its host without the port, which is another one at each attempt. */
  readonly address: string;
  readonly host: string;
  private readonly deadline: NodeJS.Timeout;
  private readonly timeoutMs: number;
  private bytes: Buffer = NOTHING;
  private waiting: { resolve(greeting: Greeting): void; reject(error: Error): void } | null = null;
  private ended: ConversationEnded | null = null;
  private isRefusing = false;

  /** The socket belongs to the conversation until `release`. `onGone` is called when it is closed before. */
  constructor(socket: Socket, timeoutMs: number, onGone: () => void = () => {}) {
    this.socket = socket;
    this.address = addressOf(socket);
    this.host = hostOf(socket);
    this.timeoutMs = timeoutMs;
    this.deadline = setTimeout(this.onDeadline, timeoutMs);
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', this.onError);
    socket.once('close', () => {
      this.end('closed', 'closed the connection');
      onGone();
    });
  }

  send(kind: GreetingKind, body = ''): void {
    this.socket.write(encodeGreeting(kind, body));
  }

  /** The next greeting. Rejects with ConversationEnded; the socket is destroyed then. */
  receive(): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) {
        reject(this.ended);
        return;
      }
      this.waiting = { resolve, reject };
    });
  }

  /** Says why not, and hangs up. */
  refuse(reason: string): void {
    this.isRefusing = true;
    this.bytes = NOTHING;
    clearTimeout(this.deadline);
    this.socket.end(encodeRefusal(reason));
    const linger = setTimeout(() => this.socket.destroy(), REFUSAL_LINGER_MS);
    this.socket.once('close', () => clearTimeout(linger));
  }

  /** Ends at once. */
  abort(): void {
    this.end('shutdown', 'was given up');
  }

  /** The exchange is over: the socket is the caller's, with the bytes that came behind the last greeting. */
  release(): Buffer {
    clearTimeout(this.deadline);
    this.socket.off('data', this.onData);
    this.socket.off('end', this.onEnd);
    this.socket.off('error', this.onError);
    return this.bytes;
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.ended !== null || this.isRefusing) return;
    if (this.waiting === null) {
      this.end('too-much', 'does not wait for its turn to speak');
      return;
    }
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    this.proceed();
  };

  private proceed(): void {
    const decoded = decodeGreeting(this.bytes);
    if (decoded === null) {
      this.end('stranger', `is ${describeStranger(this.bytes)}`);
      return;
    }
    if (decoded === 'more') {
      if (this.bytes.length >= GREETING_BYTES_MAX) this.end('too-much', 'sends more than a greeting');
      return;
    }
    const { greeting, end } = decoded;
    // Only the last of a side is followed by anything before it is answered.
    if (greeting.kind !== 'ready' && greeting.kind !== 'proven' && this.bytes.length > end) {
      this.end('too-much', 'sends more than a greeting');
      return;
    }
    this.bytes = this.bytes.subarray(end);
    this.waiting?.resolve(greeting);
    this.waiting = null;
  }

  private readonly onDeadline = (): void => {
    this.end('silent', `did not introduce itself within ${this.timeoutMs} ms`);
  };

  private readonly onEnd = (): void => {
    this.end('closed', 'closed the connection');
  };

  private readonly onError = (error: Error): void => {
    this.end('closed', `was lost: ${errorText(error)}`);
  };

  private end(kind: ConversationEnded['kind'], message: string): void {
    if (this.ended !== null) return;
    this.ended = new ConversationEnded(kind, message);
    clearTimeout(this.deadline);
    this.socket.destroy();
    this.waiting?.reject(this.ended);
    this.waiting = null;
  }
}
