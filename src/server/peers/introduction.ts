// Both sides of the exchange of greetings: what is said, in which order, and what it leads to.
//
// A server that was restarted while its old connection still looks open comes with a new incarnation, and its new link
// takes the place of the old one. Two servers that run with the same number look just the same, so the old link is asked
// first: if somebody answers there, the newcomer is the second of two.

import type { Conversation } from './conversation.js';
import { type Greeting, type Hello, helloBody } from './greeting.js';
import { type Identity, isRefusal, judge, type Refusal } from './judge.js';

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
}

/** The side that dialled. Rejects with ConversationEnded. */
export async function introduce(conversation: Conversation, own: Identity, peer: number): Promise<Outcome> {
  conversation.send('hello', helloBody({ ...own, recipient: peer }));
  const greeting = await conversation.receive();
  if (greeting.kind === 'refused') return refusedByThem(conversation, greeting);
  const judgement = judge(greeting, { own, dialled: peer, address: conversation.address });
  if (isRefusal(judgement)) return refuse(conversation, judgement);
  conversation.send('ready');
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
  const hello = judge(await conversation.receive(), { own, dialled: undefined, address: host });
  if (isRefusal(hello)) return refuse(conversation, hello);
  const { sender } = hello;
  const doubt = guard.objection(hello);
  if (doubt !== null) {
    const reason = `the one at ${host} may not link to server ${own.sender} as server ${sender}: ${doubt}`;
    return refuse(conversation, { kind: 'certificate', reason, sender });
  }
  const rival = await guard.findRival(hello);
  if (rival !== undefined) {
    const reason = `server ${sender} is linked already, from ${rival}, and answers there; now another process at ${host} has the same number: correct the file myid of one`;
    return refuse(conversation, { kind: 'rival', reason, sender });
  }
  conversation.send('welcome', helloBody({ ...own, recipient: sender }));
  const answer = await conversation.receive();
  if (answer.kind === 'refused') return refusedByThem(conversation, answer);
  if (answer.kind !== 'ready') {
    const reason = `server ${sender} at ${host} does not keep to the order of greetings`;
    return refuse(conversation, { kind: 'malformed', reason, sender });
  }
  return { type: 'accepted', hello };
}

function refuse(conversation: Conversation, refusal: Refusal): Outcome {
  conversation.refuse(refusal.reason);
  return { type: 'refused', refusal };
}

function refusedByThem(conversation: Conversation, { body }: Greeting): Outcome {
  conversation.abort();
  return { type: 'refusedByThem', reason: body };
}
