import { PEER_PROTOCOL_VERSION } from '../../../../protocol/peer/messages.js';
import type { Greeting, Hello, Membership } from '../../../../src/server/peers/greeting.js';
import { helloBody } from '../../../../src/server/peers/greeting.js';
import { type Identity, isRefusal, judge } from '../../../../src/server/peers/judge.js';
import { describeStranger } from '../../../../src/server/peers/strangers.js';

const members: Membership[] = [1, 2, 3].map((id) => ({ id, role: 'participant', weight: 1, group: undefined }));
const own: Identity = { cluster: 'blue', sender: 2, incarnation: '2222222222222222', members };
const fine: Hello = { cluster: 'blue', sender: 3, recipient: 2, incarnation: '3333333333333333', members };

function reasonFor(hello: Partial<Hello>, more: Partial<Greeting> = {}, dialled?: number): string {
  const body = helloBody({ ...fine, ...hello });
  const kind = dialled === undefined ? 'hello' : 'welcome';
  const greeting: Greeting = { kind, version: PEER_PROTOCOL_VERSION, body, ...more };
  const judgement = judge(greeting, { own, dialled, address: '10.0.0.3:5' });
  return isRefusal(judgement) ? judgement.reason : 'none';
}

test('the right server is taken, dialling or dialled', () => {
  expect(reasonFor({})).toBe('none');
  expect(reasonFor({ sender: 1 }, {}, 1)).toBe('none');
});

test.each<[string, Partial<Hello>, Partial<Greeting>, number | undefined, string]>([
  [
    'another version',
    {},
    { version: 7, body: '?' },
    undefined,
    'the one at 10.0.0.3:5 version 7: run the same release',
  ],
  ['no introduction', {}, { body: '[]' }, undefined, 'does not introduce itself'],
  ['the wrong greeting', {}, { kind: 'ready' }, undefined, 'does not introduce itself'],
  [
    'another ensemble',
    { cluster: '' },
    {},
    undefined,
    "server 2 is in the ensemble 'blue', server 3 at 10.0.0.3:5 in ''",
  ],
  ['its own number', { sender: 2 }, {}, undefined, 'two servers with the number 2, one of them at 10.0.0.3:5'],
  ['itself', { sender: 2, incarnation: own.incarnation }, {}, 1, 'server 2 reached itself as server 1'],
  [
    'meant for another',
    { recipient: 1 },
    {},
    undefined,
    'takes server 2 for server 1: correct the address of server 1',
  ],
  [
    'not whom it dialled',
    { sender: 3 },
    {},
    1,
    'server 3 answers at 10.0.0.3:5, the address that server 2 has for server 1',
  ],
  ['a number nobody has', { sender: 9 }, {}, undefined, 'server 9 at 10.0.0.3:5 is not one of the servers 1, 2, 3'],
  [
    'more members',
    { members: [...members, { ...members[0]!, id: 4 }] },
    {},
    undefined,
    'server 3 has 1, 2, 3, 4: give all',
  ],
  [
    'another weight',
    { members: members.map((one) => (one.id === 1 ? { ...one, weight: 2, group: 7 } : one)) },
    {},
    undefined,
    'to server 2, server 1 is a participant of weight 1, to server 3 it is a participant of weight 2 in group 7',
  ],
  [
    'another role',
    { members: members.map((one) => (one.id === 1 ? { ...one, role: 'observer' } : one)) },
    {},
    undefined,
    'to server 3 it is an observer',
  ],
  ['dialled from below', { sender: 1 }, {}, undefined, 'server 1 must wait to be dialled by server 2'],
])('%s is refused with a reason', (_, hello, greeting, dialled, reason) => {
  expect(reasonFor(hello, greeting, dialled)).toContain(reason);
});

test.each([
  ['GET / HTTP/1.1\r\n', 'speaks HTTP'],
  ['HTTP/1.1 400 Bad', 'speaks HTTP'],
  ['\x00\x00\x00\x0b\x00\x00', "a server of ZooKeeper's"],
  ['\xff\xff\xff\xff\xff\xff\x00\x00', "a server of ZooKeeper's"],
  ['\x16\x03\x01\x02', 'sslQuorum'],
  ['\x00\x00\x00\x2d\x00\x00\x00\x00', 'clients connect to clientPort'],
  ['\x01\x02', 'begins with the bytes 0102'],
])('%j is described', (bytes, description) => {
  expect(describeStranger(Buffer.from(bytes, 'latin1'))).toContain(description);
});
