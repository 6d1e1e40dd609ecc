/**
 * Each server in a network namespace of its own, joined by a switch that this suite runs (`switch.py`). Needs root, `ip`
 * and Python; the process must already be in namespaces of its own (`isolate`), so that nothing of all this is left behind
 * however it ends, and two runs do not meet.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Addresses, CommandLine, Network, Quality } from './network.js';

const SWITCH = resolve('test/chaos/network/switch.py');
const PREFIX = '10.77.0';
const FIRST_ADDRESS = 10;
const NAMESPACES = '/run/netns';
const PORTS = { clientPort: 2181, quorumPort: 2888, electionPort: 3888 };
const MARK = 'ZABRA_CHAOS_ISOLATED';
/** A mount namespace keeps the disks to itself, a process namespace ends every server when the run ends. */
const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

export function isIsolated(): boolean {
  return process.env[MARK] === '1';
}

/** Why there can be no namespaces here; undefined when there can. */
export function whyNoNamespaces(): string | undefined {
  if (isIsolated()) return undefined;
  if (process.platform !== 'linux') return 'no network namespaces: not Linux';
  try {
    const script = `mkdir -p ${NAMESPACES} && mount -t tmpfs tmpfs ${NAMESPACES} && ip netns add try && python3 -V && test -w /dev/net/tun`;
    execFileSync('unshare', [...UNSHARE, 'sh', '-c', script], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no network namespaces: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`;
  }
}

/** Runs this program again inside namespaces, with the same arguments; resolves with its exit code. */
export async function isolate(): Promise<number> {
  const child = spawn('unshare', [...UNSHARE, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, [MARK]: '1' },
    stdio: 'inherit',
  });
  // The first process of a namespace is not ended by signals it does not expect; with this one all are.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

export class NamespaceNetwork implements Network {
  readonly description = 'each server in a network namespace of its own; packets are lost and delayed one by one';
  readonly whyNotZooKeeper = undefined;

  private constructor(private readonly relay: ChildProcess) {}

  static async open(servers: number): Promise<NamespaceNetwork> {
    mkdirSync(NAMESPACES, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', NAMESPACES]);
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    const names = Array.from({ length: servers }, (_, i) => `server${i + 1}`);
    const relay = spawn('python3', [SWITCH, PREFIX, ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(relay, 'exit').then(([code]) => {
      throw new Error(`the switch has ended with ${code}`);
    });
    await Promise.race([once(createInterface(relay.stdout), 'line'), ended]);
    ended.catch(() => {});
    return new NamespaceNetwork(relay);
  }

  on(host: number, { command, args }: CommandLine): CommandLine {
    // Not `ip netns exec`: that makes a view of all mounts for each, and a disk that others still see cannot be replaced.
    return { command: 'nsenter', args: [`--net=${NAMESPACES}/server${host}`, command, ...args] };
  }

  listening(host: number): Addresses {
    return { host: `${PREFIX}.${FIRST_ADDRESS + host}`, ...PORTS };
  }

  reaching(_from: number, to: number): Addresses {
    return this.listening(to);
  }

  set(from: number, to: number, { loss = 0, delayMs = 0, jitterMs = 0 }: Quality): void {
    this.relay.stdin?.write(`${from} ${to} ${loss} ${delayMs} ${jitterMs}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.relay, 'exit');
    this.relay.stdin?.end();
    await exited;
  }
}
