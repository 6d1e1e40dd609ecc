/** What the suite uses of node-zookeeper-client, which brings no types of its own. */
declare module 'node-zookeeper-client' {
  import type { EventEmitter } from 'node:events';

  type Done<T extends unknown[] = []> = (error: Error | null | undefined, ...results: T) => void;
  type Watcher = (event: Event) => void;
  export interface Named {
    getName(): string;
    getCode(): number;
  }
  export interface Event {
    getName(): string;
    getPath(): string;
  }
  export interface Stat {
    version: number;
    numChildren: number;
    dataLength: number;
    aversion: number;
    ephemeralOwner: Buffer;
  }
  export interface Acl {
    permission: number;
    id: { scheme: string; id: string };
  }
  export interface Transaction {
    create(path: string, data?: Buffer, acls?: Acl[], mode?: number): this;
    setData(path: string, data: Buffer, version?: number): this;
    check(path: string, version?: number): this;
    remove(path: string, version?: number): this;
    commit(done: Done<[Array<{ type: string; path?: string; err?: number; stat?: Stat }>]>): void;
  }
  export interface Client extends EventEmitter {
    connect(): void;
    close(): void;
    getState(): Named;
    getSessionId(): Buffer;
    getSessionPassword(): Buffer;
    getSessionTimeout(): number;
    addAuthInfo(scheme: string, auth: Buffer): void;
    create(path: string, data: Buffer | null, acls: Acl[] | null, mode: number | null, done: Done<[string]>): void;
    remove(path: string, version: number, done: Done): void;
    setData(path: string, data: Buffer | null, version: number, done: Done<[Stat]>): void;
    getData(path: string, watcher: Watcher | null, done: Done<[Buffer | undefined, Stat]>): void;
    setACL(path: string, acls: Acl[], version: number, done: Done<[Stat]>): void;
    getACL(path: string, done: Done<[Acl[], Stat]>): void;
    exists(path: string, watcher: Watcher | null, done: Done<[Stat | undefined]>): void;
    getChildren(path: string, watcher: Watcher | null, done: Done<[string[], Stat]>): void;
    mkdirp(path: string, done: Done<[string]>): void;
    transaction(): Transaction;
  }
  const zookeeper: {
    createClient(address: string, options?: { sessionTimeout?: number; spinDelay?: number; retries?: number }): Client;
    readonly CreateMode: Readonly<
      Record<'PERSISTENT' | 'PERSISTENT_SEQUENTIAL' | 'EPHEMERAL' | 'EPHEMERAL_SEQUENTIAL', number>
    >;
    readonly Permission: Readonly<Record<'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'ADMIN' | 'ALL', number>>;
    readonly Id: new (scheme: string, id: string) => Acl['id'];
    readonly ACL: (new (
      permission: number,
      id: Acl['id'],
    ) => Acl) & {
      readonly OPEN_ACL_UNSAFE: Acl[];
      readonly CREATOR_ALL_ACL: Acl[];
      readonly READ_ACL_UNSAFE: Acl[];
    };
  };
  export default zookeeper;
}
