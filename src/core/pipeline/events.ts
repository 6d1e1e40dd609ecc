// Watches and the events they send. A change that was executed is shown to the watch table, which calls back for each
// connection that is to hear of it; the ACL decides whether it may (E46). An event is encoded once, however many
// connections it goes to, and is in their output before any reply that shows the change (E59).

import { EventType, Perms } from '../../../protocol/client/constants.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import type { ReplicaOptions } from '../io.js';
import type { Change } from '../ops/changes.js';
import type { Watcher, World } from '../ops/operation.js';
import { WatchTable } from '../watches/table.js';
import type { Connection } from './connections.js';
import { encodeEvent } from './reply.js';

/** The zxid of an event that belongs to no entry: setWatches found out about a change that was missed (E61). */
const NO_ZXID = -1;

type EventOptions = Pick<ReplicaOptions, 'skipAcl' | 'watchesPerSessionMax'>;

export class Events {
  readonly watches: WatchTable<Watcher>;
  private readonly world: World;
  private readonly skipAcl: boolean;
  private readonly onSent: (connection: Connection) => void;
  private readonly frame = new JuteWriter(512);
  /** What `frame` holds. */
  private frameType = 0;
  private framePath: string | null = null;
  private current: Change | null = null;
  private currentZxid = 0;

  constructor(world: World, { skipAcl, watchesPerSessionMax }: EventOptions, onSent: (connection: Connection) => void) {
    this.world = world;
    this.skipAcl = skipAcl;
    this.onSent = onSent;
    this.watches = new WatchTable<Watcher>(
      (watcher, type, path) => this.fired(watcher as Connection, type, path),
      watchesPerSessionMax,
    );
  }

  /** Call after watches came or went: nobody needs to spell out paths that nobody watches. */
  updateRecording(): void {
    this.world.changes.recording = !this.watches.isEmpty;
  }

  /** An entry changed something: fires the watches in the order of E58. */
  fire(change: Change, zxid: number): void {
    this.current = change;
    this.currentZxid = zxid;
    this.framePath = null;
    if (change.kind === 'created') this.watches.nodeCreated(change.path, change.parentPath);
    else if (change.kind === 'deleted') this.watches.nodeDeleted(change.path, change.parentPath);
    else this.watches.nodeDataChanged(change.path);
    this.current = null;
    this.updateRecording();
  }

  /** An event that setWatches owes to a connection (E62); it is not filtered. */
  sendMissed(connection: Connection, type: number, path: string): void {
    this.framePath = null;
    this.send(connection, type, path, NO_ZXID);
  }

  private fired(connection: Connection, type: number, path: string): void {
    const change = this.current as Change;
    const aclId = type === EventType.nodeChildrenChanged ? change.parentAclId : change.aclId;
    if (!this.world.acls.allows(aclId, Perms.read, connection.identities, this.skipAcl)) return;
    this.send(connection, type, path, this.currentZxid);
  }

  private send(connection: Connection, type: number, path: string, zxid: number): void {
    if (connection.isGone) return;
    if (this.framePath !== path || this.frameType !== type) {
      encodeEvent(this.frame, type, path, zxid);
      this.framePath = path;
      this.frameType = type;
    }
    connection.output.raw(this.frame.bytes, 0, this.frame.position);
    this.onSent(connection);
  }
}
