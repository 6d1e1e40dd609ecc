// Bytes of every kind, at every stage: no crash, no link for a stranger, and the right server still gets in.

import fc from 'fast-check';
import { encodePeerMessage } from '../../../../protocol/peer/messages.js';
import { encodeGreeting, helloBody } from '../../../../src/server/peers/greeting.js';
import { Cleanup, membersOf, rawPeer } from './ensemble.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const CASES = 2000;
const AT_ONCE = 25;

test('thousands of hostile connections leave the server as it was', async () => {
  const members = await membersOf(3);
  const one = cleanup.server(1, members, { connectTimeoutMs: 300, messageBytesMax: 4096 });
  await one.links.listen();
  const hello = encodeGreeting(
    'hello',
    helloBody({ cluster: '', sender: 2, recipient: 1, incarnation: '0000000000000001', members }),
  );
  const ready = encodeGreeting('ready', '');
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from(encodePeerMessage({ type: 'ping', round: 1 }))]);
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  /** Bytes with a few of them changed. */
  const bent = (bytes: Buffer) =>
    fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  const cut = fc.nat(hello.length).map((end) => hello.subarray(0, end));
  const opening = fc.oneof(noise, bent(hello), cut);
  /** What is sent before and after the server has answered; the second only matters when it did. */
  const attack = fc.oneof(
    fc.tuple(opening, noise),
    fc.tuple(fc.constant(hello), fc.oneof(noise, bent(ready))),
    fc.tuple(
      fc.constant(hello),
      fc.oneof(noise, bent(frame), bent(Buffer.concat([frame, frame]))).map((bytes) => Buffer.concat([ready, bytes])),
    ),
  );
  const attacks = fc.sample(attack, { numRuns: CASES, seed: 20 });
  for (let at = 0; at < attacks.length; at += AT_ONCE) {
    await Promise.all(
      attacks.slice(at, at + AT_ONCE).map(async ([before, after]) => {
        const raw = rawPeer(members[0]!.port);
        raw.socket.write(before);
        if (before === hello) await Promise.race([raw.bytes(1), raw.closed]);
        raw.socket.end(after);
        await raw.closed;
      }),
    );
  }
  // Every link it made came to an end, and what was told alternates.
  const told = one.events.list.filter((event) => /connected/.test(event));
  expect(told.length).toBeGreaterThan(100);
  expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? 'connected 2' : 'disconnected 2')));
  expect(one.log.count(/^error/)).toBe(0);
  // Warnings are limited by kind, whatever the number of cases; links that were made and broken are one each.
  expect(one.log.count(/^warn (?!the link to server 2 broke)/)).toBeLessThan(30);
  const two = cleanup.server(2, members);
  await two.links.listen();
  await two.events.until('connected 1');
  two.links.send([1], { type: 'ping', round: 77 });
  await one.events.until('2: ping 77');
}, 60_000);
