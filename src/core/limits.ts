// Every bound of the core in one place, with the relations between them asserted, so that nobody has to remember them.

import { COUNTER_MAX } from '../../protocol/ids.js';
import { assert } from '../std/assert.js';

export const limits = {
  /** A batch is closed when it holds this much, whatever is in flight. */
  batchBytesMax: 1_048_576,
  batchEntriesMax: 8_192,

  /** Batches given to the disk and not yet stored. More wait, and grow into fewer and larger ones: group commit. */
  batchesInFlightMax: 3,

  /** Requests of one connection that wait for their turn. At half of it the connection is not read any more (E13). */
  laneLengthMax: 16_384,

  /** Bytes of the reads among them, which are kept until it is their turn. Above it the connection is not read. */
  laneBytesMax: 4_194_304,

  /** Bytes of writes on their way, of all clients, beyond which whoever sends more is not read: what is queued for the
   * disk is memory, and everybody's next write waits behind it. */
  pendingBytesMax: 16_777_216,

  /** Bytes given to the core in one `frames` input, unless a single frame is larger. */
  readBytesMax: 65_536,

  /**
   * Bytes of held frames of one connection, unless a single frame is larger; beyond it the connection is closed. A
   * connection that holds something is not read, so this much comes only from a shell that goes on reading.
   */
  heldBytesMax: 4_194_304,

  /** Output of one connection beyond which its next request waits until that has been sent. */
  outputPauseBytes: 1_048_576,

  /** Output of one connection that is never exceeded by more than one reply: beyond it the connection is closed. */
  outputBytesMax: 67_108_864,

  /** Body of a multiRead's reply: without a bound, one frame could ask for the largest node thirty thousand times. */
  multiReadBytesMax: 16_777_216,

  /** What a client may prove about itself, and the size of an auth packet: identities go into the log with each batch. */
  identitiesMax: 64,
  credentialBytesMax: 8_192,

  /** Of a client's watches: so many characters of their paths together count as one watch more. */
  watchCharacters: 256,

  /** Captured checkpoint bytes handed to the disk at a time. */
  checkpointSliceBytesMax: 262_144,

  /** A new epoch is opened after this many entries (E90). What is under way at that moment still needs room. */
  epochEntriesMax: COUNTER_MAX - 16_777_216,
} as const;

assert(
  limits.epochEntriesMax + limits.batchEntriesMax * (limits.batchesInFlightMax + 2) < COUNTER_MAX,
  'what is under way when an epoch ends must fit into it',
);
// What was read before the pause still comes: no frame is shorter than a length and a header.
assert(limits.laneLengthMax / 2 + limits.readBytesMax / 12 < limits.laneLengthMax, 'a paused lane must not run full');
assert(limits.pendingBytesMax >= limits.batchBytesMax * limits.batchesInFlightMax, 'the disk must be kept busy');
assert(limits.outputPauseBytes < limits.outputBytesMax, 'a client is made to wait before it is cut off');
assert(limits.laneLengthMax >= limits.batchEntriesMax, 'one connection must be able to fill a batch');
