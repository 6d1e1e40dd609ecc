// Whether a server that introduces itself is the one it should be. Pure: two introductions in, a reason to refuse out.
// The reason is read in the logs of both sides, so it names servers by their numbers and never says "this one".

import { PEER_PROTOCOL_VERSION } from '../../../protocol/peer/messages.js';
import { type Greeting, type Hello, type Membership, parseHello } from './greeting.js';

/** Who a server is, and what it holds for its ensemble. */
export type Identity = Omit<Hello, 'recipient' | 'nonce'>;

export interface Refusal {
  /** One of few, for limits on logging. */
  readonly kind: string;
  /** What is wrong, and what to do. */
  readonly reason: string;
  /** Who the other side says it is, if it says so. */
  readonly sender: number | undefined;
}

export interface Situation {
  readonly own: Identity;
  /** The peer that was dialled; undefined when the other side has dialled. */
  readonly dialled: number | undefined;
  /** Where the other side is, for the text. */
  readonly address: string;
}

/** The other side's introduction, or why it is refused. */
export function judge(greeting: Greeting, situation: Situation): Hello | Refusal {
  const { own, dialled, address } = situation;
  const server = `server ${own.sender}`;
  let claimed: number | undefined;
  const refuse = (kind: string, reason: string): Refusal => ({ kind, reason, sender: claimed });
  if (greeting.version !== PEER_PROTOCOL_VERSION) {
    return refuse(
      'version',
      `${server} speaks version ${PEER_PROTOCOL_VERSION} of the protocol between servers, the one at ${address} version ${greeting.version}: run the same release everywhere`,
    );
  }
  const hello = greeting.kind === (dialled === undefined ? 'hello' : 'welcome') ? parseHello(greeting.body) : null;
  if (hello === null) return refuse('malformed', `the one at ${address} does not introduce itself as a server does`);
  const { cluster, sender, recipient, incarnation, members } = hello;
  claimed = sender;
  if (incarnation === own.incarnation) {
    return refuse(
      'self',
      `${server} reached itself as server ${dialled ?? recipient}: correct the address of that one`,
    );
  }
  if (cluster !== own.cluster) {
    return refuse(
      'cluster',
      `${server} is in the ensemble '${own.cluster}', server ${sender} at ${address} in '${cluster}': separate them by their addresses, or give both the same ensemble.name`,
    );
  }
  if (sender === own.sender) {
    return refuse(
      'own-id',
      `there are two servers with the number ${sender}, one of them at ${address}: correct the file myid of one`,
    );
  }
  if (recipient !== own.sender) {
    return refuse(
      'recipient',
      `server ${sender} at ${address} takes server ${own.sender} for server ${recipient}: correct the address of server ${recipient} there, or the file myid of server ${own.sender}`,
    );
  }
  if (dialled !== undefined && sender !== dialled) {
    return refuse(
      'sender',
      `server ${sender} answers at ${address}, the address that server ${own.sender} has for server ${dialled}: correct it`,
    );
  }
  const difference = differenceOf(own, hello);
  if (difference !== null) {
    return refuse('members', `${difference}: give all servers the same server, group and weight lines`);
  }
  if (!members.some(({ id }) => id === sender)) {
    return refuse('unknown-id', `server ${sender} at ${address} is not one of the servers ${idsOf(members)}`);
  }
  if (dialled === undefined && sender < own.sender) {
    return refuse('direction', `server ${sender} must wait to be dialled by server ${own.sender}, not dial it`);
  }
  return hello;
}

export function isRefusal(judgement: Hello | Refusal): judgement is Refusal {
  return 'reason' in judgement;
}

/** In which way two servers see the ensemble differently; null when they do not. */
function differenceOf(own: Identity, other: Identity): string | null {
  const left = own.members;
  const right = other.members;
  if (idsOf(left) !== idsOf(right)) {
    return `server ${own.sender} has the servers ${idsOf(left)}, server ${other.sender} has ${idsOf(right)}`;
  }
  const index = left.findIndex((member, at) => partOf(member) !== partOf(right[at]!));
  if (index < 0) return null;
  return `to server ${own.sender}, server ${left[index]!.id} is ${partOf(left[index]!)}, to server ${other.sender} it is ${partOf(right[index]!)}`;
}

function idsOf(members: readonly Membership[]): string {
  return members.map(({ id }) => id).join(', ');
}

function partOf({ role, weight, group }: Membership): string {
  const part = role === 'observer' ? 'an observer' : `a participant of weight ${weight}`;
  return group === undefined ? part : `${part} in group ${group}`;
}
