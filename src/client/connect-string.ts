// "host:port,host2,[::1]:2182/chroot": where the servers are, and below which node the client lives (E67). A port that
// is left out is 2181; an IPv6 address stands in brackets, since its colons would read as a port.

import { PORT_DEFAULT } from '../../protocol/client/constants.js';
import { pathFault } from '../../protocol/path.js';
import { ZooKeeperError } from './errors.js';

export interface Host {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectTarget {
  readonly hosts: readonly Host[];
  /** The path of the chroot, or '' for none. */
  readonly chroot: string;
}

/** Throws ZooKeeperError BadArguments when the text is not a connect string. */
export function parseConnectString(text: string): ConnectTarget {
  const slash = text.indexOf('/');
  const list = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 || slash === text.length - 1 ? '' : text.slice(slash).trimEnd();
  if (chroot !== '') {
    const fault = pathFault(chroot);
    if (fault !== null) throw invalid(text, `the chroot ${chroot} is not a path: ${fault}`);
  }
  const hosts = list.split(',').map((part) => parseHost(part.trim(), text));
  return { hosts, chroot };
}

/** host, host:port or [address]:port, for messages. */
export function hostText({ host, port }: Host): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseHost(part: string, text: string): Host {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]\s]+))(?::(\d+))?$/.exec(part);
  if (match === null) {
    const hint = part.split(':').length > 2 ? '; write an IPv6 address in brackets, as in [::1]:2181' : '';
    throw invalid(text, part === '' ? 'a host is empty' : `${part} is not a host with a port${hint}`);
  }
  const port = match[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (port < 1 || port > 65_535) throw invalid(text, `${port} is not a port`);
  return { host: match[1] ?? match[2], port };
}

function invalid(text: string, why: string): ZooKeeperError {
  return new ZooKeeperError('BadArguments', { operation: 'connect', text: `the connect string "${text}": ${why}` });
}
