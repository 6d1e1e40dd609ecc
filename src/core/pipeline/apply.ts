// Committed batches are executed here, entry by entry, in zxid order, the same way on every replica (design decision 2).
// For each entry: the operation changes the tree, what changed is shown to the watches, then the reply of the client
// that asked goes out, so that no reply overtakes an event it could explain (E59).
//
// No server that is right lets an entry into the log that cannot be executed (admit.ts). Should one be there all the same,
// it fails, on every replica alike: whoever stopped at it would stop at it again after each start.

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { type Batch, BatchFlag, type Identity } from '../../../protocol/peer/entries.js';
import { assert } from '../../std/assert.js';
import type { Change } from '../ops/changes.js';
import type { Entry, World } from '../ops/operation.js';
import { writeOperation } from '../ops/table.js';
import type { Auditor } from './audit.js';

/** Who is told about what an entry did, in this order. */
export interface Audience {
  /**
   * An entry of this session comes next: the last moment for what must not see its effect. Returns whether the reply's
   * body is wanted: only the server that holds the client's connection needs it.
   */
  executing(session: number, cxid: number, operation: number): boolean;
  changed(change: Change, zxid: number): void;
  /** `body` is valid during the call only, and meaningless when `code` is not 0. */
  executed(session: number, cxid: number, operation: number, code: number, body: JuteWriter): void;
}

export class Applier {
  /** Tells what entries of this server's clients did, where that is wanted. */
  auditor: Auditor | null = null;
  private readonly world: World;
  private readonly audience: Audience;
  private readonly reader = new JuteReader(new Uint8Array(0));
  private readonly body = new JuteWriter(1024);
  /** Whether the request of the entry in execution could be decoded. */
  private isReadable = true;
  /** Everything up to here is in the tree. */
  private applied = 0;

  constructor(world: World, audience: Audience) {
    this.world = world;
    this.audience = audience;
  }

  get lastZxid(): number {
    return this.applied;
  }

  /** The world was loaded from a checkpoint at this zxid. */
  startAt(zxid: number): void {
    assert(zxid >= this.applied, `a checkpoint at ${zxid} after ${this.applied}`);
    this.applied = zxid;
  }

  apply(batch: Batch): void {
    assert(batch.firstZxid > this.applied, `batch ${batch.firstZxid} after ${this.applied}`);
    const { operations, sessions, cxids, callers, requestEnds, identityLists, requests } = batch;
    const entry = {
      zxid: batch.firstZxid,
      timeMs: batch.timeMs,
      session: 0,
      caller: identityLists[0] as readonly Identity[],
      enforceQuota: (batch.flags & BatchFlag.enforceQuota) !== 0,
      skipAcl: (batch.flags & BatchFlag.skipAcl) !== 0,
    };
    let start = 0;
    for (let i = 0; i < operations.length; i++) {
      const end = requestEnds[i];
      entry.zxid = batch.firstZxid + i;
      entry.session = sessions[i];
      entry.caller = identityLists[callers[i]];
      this.auditor?.before(operations[i], entry);
      const code = this.execute(operations[i], entry, cxids[i], requests, start, end);
      this.applied = entry.zxid;
      if (this.world.changes.length > 0) {
        for (const change of this.world.changes.take()) this.audience.changed(change, entry.zxid);
      }
      if (this.isReadable) this.auditor?.after(operations[i], entry, code, requests, start, end, this.body);
      this.audience.executed(entry.session, cxids[i], operations[i], code, this.body);
      start = end;
    }
  }

  private execute(code: number, entry: Entry, cxid: number, requests: Uint8Array, start: number, end: number): number {
    const { world, body } = this;
    const operation = writeOperation(code);
    let request: unknown;
    let fault = operation === undefined ? Code.Unimplemented : 0;
    try {
      request = operation?.request.view(this.reader.reset(requests, start, end));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      fault = Code.MarshallingError;
    }
    this.isReadable = fault === 0;
    // A session's requests die with it: what was still on its way when it was closed is refused (E21).
    if (entry.session !== 0 && code !== OpCode.createSession && world.sessions.get(entry.session) === undefined) {
      return Code.SessionExpired;
    }
    const wantsBody = this.audience.executing(entry.session, cxid, code);
    if (operation === undefined || fault !== 0) return fault;
    body.clear();
    return operation.apply(world, entry, request, wantsBody ? body : null);
  }
}
