// The chroot exists only in the client: put before every path that is sent, taken off every path that comes back (E67).
// The server never hears of it, and the chroot node itself is not created.

export class Chroot {
  /** '' when there is none. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  toServer(path: string): string {
    if (this.prefix === '') return path;
    return path === '/' ? this.prefix : this.prefix + path;
  }

  /** Paths outside of the chroot, such as events of /zookeeper/config, pass unchanged. */
  toClient(path: string): string {
    if (this.prefix === '' || !this.contains(path)) return path;
    return path.length === this.prefix.length ? '/' : path.slice(this.prefix.length);
  }

  /** Whether a server path is the chroot or below it; /apple is not below /app. */
  contains(path: string): boolean {
    if (this.prefix === '') return true;
    return path.startsWith(this.prefix) && (path.length === this.prefix.length || path[this.prefix.length] === '/');
  }
}
