/** A client that wants one thing: to write once, through one server. It tries for as long as it takes. */
import { VirtualClient, type VirtualServer } from '../../src/testing/index.js';
import { OPEN_ACL } from '../helpers/world.js';

const RETRY_MS = 50;

export class Probe {
  hasWritten = false;
  readonly client: VirtualClient;

  constructor(
    readonly server: VirtualServer,
    private readonly path: string,
  ) {
    this.client = new VirtualClient(server.world);
    this.client.onReceived = (item) => {
      if (item.kind === 'connect' && item.timeoutMs > 0) this.write();
      else if (item.kind === 'reply' && (item.code === 0 || item.code === NODE_EXISTS)) this.hasWritten = true;
      else if (item.kind === 'reply') this.server.world.after(RETRY_MS, () => this.write());
      else if (item.kind === 'closed') this.retry();
    };
    this.connect();
  }

  private connect(): void {
    if (!this.client.connect(this.server, { timeoutMs: 1000 })) this.retry();
  }

  private retry(): void {
    this.server.world.after(RETRY_MS, () => {
      if (!this.hasWritten) this.connect();
    });
  }

  private write(): void {
    this.client.send('create', { path: this.path, data: null, acl: OPEN_ACL, flags: 1 });
  }
}

const NODE_EXISTS = -110;
