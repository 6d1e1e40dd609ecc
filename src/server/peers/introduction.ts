// Both sides of the exchange of greetings: what is said, in which order, and what it leads to. Where there is a secret,
// the link is made when both sides have proven to know it (secret.ts).
//
// A server that was restarted while its old connection still looks open comes with a new incarnation, and its new link
// takes the place of the old one. Two servers that run with the same number look just the same, so the old link is asked
// first: if somebody answers there, the newcomer is the second of two.

import type { Conversation } from './conversation.js';
import { type Greeting, type Hello, helloBody } from './greeting.js';
import { type Identity, isRefusal, judge, type Refusal } from './judge.js';
import type { PeerSecret } from './secret.js';

export type Outcome =
  | { readonly type: 'accepted'; readonly hello: Hello }
  /** We refuse the other side. */
  | { readonly type: 'refused'; readonly refusal: Refusal }
  /** The other side refuses us. */
  | { readonly type: 'refusedByThem'; readonly reason: string };

/** What the side that was dialled has to ask its surroundings. */
export interface Guard {
  /** Why the other side is not believed: to be one of us, before it has spoken, and then to be who it says. */
  objection(hello?: Hello): string | null;
  /** Where another process that calls itself this server is linked and answers; undefined when there is none. */
  findRival(hello: Hello): Promise<string | undefined>;
  /** Null: servers are believed without. */
  readonly secret: PeerSecret | null;
}

/** The side that dialled. Rejects with ConversationEnded. */
export async function introduce(
  conversation: Conversation,
  own: Identity,
  peer: number,
  secret: PeerSecret | null,
): Promise<Outcome> {
  const spoken = helloBody({ ...own, recipient: peer, nonce: secret?.nonce() });
  conversation.send('hello', spoken);
  const greeting = await conversation.receive();
  if (greeting.kind === 'refused') return refusedByThem(conversation, greeting);
  const { address } = conversation;
  const judgement = judge(greeting, { own, dialled: peer, address });
  if (isRefusal(judgement)) return refuse(conversation, judgement);
  const lack = lackOfSecret(secret, own, judgement, address);
  if (lack !== null) return refuse(conversation, lack);
  if (secret === null || judgement.nonce === undefined) {
    conversation.send('ready');
    return { type: 'accepted', hello: judgement };
  }
  conversation.send('ready', secret.proof('dialler', spoken, greeting.body));
  const answer = await conversation.receive();
  if (answer.kind === 'refused') return refusedByThem(conversation, answer);
  if (answer.kind !== 'proven') return refuse(conversation, outOfOrder(peer, address));
  if (!secret.isProof(answer.body, 'dialled', spoken, greeting.body)) {
    return refuse(conversation, otherSecret(own, peer, address));
  }
  return { type: 'accepted', hello: judgement };
}

/** The side that was dialled. Rejects with ConversationEnded. */
export async function receive(conversation: Conversation, own: Identity, guard: Guard): Promise<Outcome> {
  // Without the port: what is refused again and again should be refused in the same words.
  const { host } = conversation;
  const objection = guard.objection();
  if (objection !== null) {
    const reason = `the one at ${host} may not link to server ${own.sender}: ${objection}`;
    return refuse(conversation, { kind: 'certificate', reason, sender: undefined });
  }
  const greeting = await conversation.receive();
  const hello = judge(greeting, { own, dialled: undefined, address: host });
  if (isRefusal(hello)) return refuse(conversation, hello);
  const { sender } = hello;
  const doubt = guard.objection(hello);
  if (doubt !== null) {
    const reason = `the one at ${host} may not link to server ${own.sender} as server ${sender}: ${doubt}`;
    return refuse(conversation, { kind: 'certificate', reason, sender });
  }
  const { secret } = guard;
  const lack = lackOfSecret(secret, own, hello, host);
  if (lack !== null) return refuse(conversation, lack);
  const rival = await guard.findRival(hello);
  if (rival !== undefined) {
    const reason = `server ${sender} is linked already, from ${rival}, and answers there; now another process at ${host} has the same number: correct the file myid of one`;
    return refuse(conversation, { kind: 'rival', reason, sender });
  }
  const isProving = secret !== null && hello.nonce !== undefined;
  const spoken = helloBody({ ...own, recipient: sender, nonce: isProving ? secret.nonce() : undefined });
  conversation.send('welcome', spoken);
  const answer = await conversation.receive();
  if (answer.kind === 'refused') return refusedByThem(conversation, answer);
  if (answer.kind !== 'ready') return refuse(conversation, outOfOrder(sender, host));
  if (isProving) {
    if (!secret.isProof(answer.body, 'dialler', greeting.body, spoken)) {
      return refuse(conversation, otherSecret(own, sender, host));
    }
    conversation.send('proven', secret.proof('dialled', greeting.body, spoken));
  }
  return { type: 'accepted', hello };
}

function lackOfSecret(secret: PeerSecret | null, own: Identity, other: Hello, place: string): Refusal | null {
  if (secret === null || !secret.isRequired || other.nonce !== undefined) return null;
  const { sender } = other;
  const reason = `server ${own.sender} has a secret (quorum.auth.secret), server ${sender} at ${place} has none: give it the same one`;
  return { kind: 'secret', reason, sender };
}

function otherSecret(own: Identity, sender: number, place: string): Refusal {
  const reason = `the one at ${place}, who says it is server ${sender}, does not have the secret of server ${own.sender}: give all servers the same quorum.auth.secret`;
  return { kind: 'secret', reason, sender };
}

function outOfOrder(sender: number, place: string): Refusal {
  return { kind: 'malformed', reason: `server ${sender} at ${place} does not keep to the order of greetings`, sender };
}

function refuse(conversation: Conversation, refusal: Refusal): Outcome {
  conversation.refuse(refusal.reason);
  return { type: 'refused', refusal };
}

function refusedByThem(conversation: Conversation, { body }: Greeting): Outcome {
  conversation.abort();
  return { type: 'refusedByThem', reason: body };
}
