/**
 * The stand-in where namespaces are not permitted: all servers on 127.0.0.1, and a relay in this process for every
 * direction in which somebody dials. It knows TCP and no packets: a cut is silence, and what was sent into it arrives when
 * it is lifted, as TCP's retransmissions would; a loss is a pause as long as a retransmission.
 *
 * ZooKeeper's servers cannot be put into it: they tell each other the addresses to dial back, past the relays.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort, LOOPBACK } from '../../helpers/ports.js';
import { type Addresses, CLEAN, type CommandLine, type Network, type Quality } from './network.js';

/** The shortest retransmission of Linux. */
const RETRANSMISSION_MS = 200;
/** While a direction is cut, the relay looks this often whether it still is. */
const LOOK_MS = 20;

type Link = (from: number, to: number) => Quality;

/** Carries what one side sends to the other, in order, its end included. */
async function carry(from: Socket, to: Socket, quality: () => Quality): Promise<void> {
  from.setNoDelay(true);
  try {
    for await (const bytes of from) {
      await onItsWay(to, quality);
      to.write(bytes);
    }
  } catch {
    // A connection that was reset ends as one that was closed.
  }
  await onItsWay(to, quality);
  to.destroy();
}

async function onItsWay(to: Socket, quality: () => Quality): Promise<void> {
  const { delayMs = 0, jitterMs = 0 } = quality();
  if (delayMs > 0) await pause(delayMs + jitterMs * Math.random());
  for (;;) {
    const { loss = 0 } = quality();
    if (to.destroyed || Math.random() >= loss) return;
    await pause(loss >= 1 ? LOOK_MS : RETRANSMISSION_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Where one host dials a port of another. */
async function openRelay(from: number, to: number, targetPort: number, link: Link): Promise<[number, Server]> {
  const server = createServer((near) => {
    const far = connect(targetPort, LOOPBACK);
    far.on('error', () => near.destroy());
    void carry(near, far, () => link(from, to));
    void carry(far, near, () => link(to, from));
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port');
  return [address.port, server];
}

export class LoopbackNetwork implements Network {
  readonly description = 'all servers on loopback, joined by relays that cut and slow down connections';
  readonly whyNotZooKeeper = 'ZooKeeper needs network namespaces: its servers dial each other past the relays';
  private readonly qualities = new Map<string, Quality>();
  private readonly relays: Server[] = [];
  private readonly own = new Map<number, Addresses>();
  private readonly others = new Map<string, Addresses>();

  private constructor() {}

  static async open(servers: number): Promise<LoopbackNetwork> {
    const network = new LoopbackNetwork();
    const link: Link = (from, to) => network.qualities.get(`${from}-${to}`) ?? CLEAN;
    for (let to = 1; to <= servers; to++) {
      const clientPort = await freePort();
      const quorumPort = await freePort();
      network.own.set(to, { host: LOOPBACK, clientPort, quorumPort, electionPort: await freePort() });
      for (let from = 0; from <= servers; from++) {
        if (from === to) continue;
        const target = from === 0 ? clientPort : quorumPort;
        const [port, relay] = await openRelay(from, to, target, link);
        network.relays.push(relay);
        const addresses = { host: LOOPBACK, clientPort: port, quorumPort: port, electionPort: 1000 + to };
        network.others.set(`${from}-${to}`, addresses);
      }
    }
    return network;
  }

  on(_host: number, commandLine: CommandLine): CommandLine {
    return commandLine;
  }

  listening(host: number): Addresses {
    return this.own.get(host) as Addresses;
  }

  reaching(from: number, to: number): Addresses {
    return from === to ? this.listening(to) : (this.others.get(`${from}-${to}`) as Addresses);
  }

  set(from: number, to: number, quality: Quality): void {
    this.qualities.set(`${from}-${to}`, quality);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.relays) relay.close();
  }
}
