// The two threads' conversation without a thread: the order of records and notes, and the book of watches when messages
// cross on their way.

import { Conversation, type Message, SharedSigns } from '../../../src/client/thread-messages.js';

class Port {
  readonly messages: Message[] = [];
  postMessage(message: Message): void {
    this.messages.push(message);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is said in one turn is one message, and records and notes keep their order', async () => {
  const port = new Port();
  const one = new Conversation<string, never>(port);
  const record = (value: number): void => {
    one.writer.int(7);
    one.writer.int(value);
    one.flushSoon();
  };
  record(1);
  one.note('two');
  record(3);
  one.note('four');
  expect(one.messageNumber).toBe(1);
  await turn();
  expect(port.messages).toHaveLength(1);
  expect(one.messageNumber).toBe(2);
  const heard: unknown[] = [];
  const answers = new Port();
  const other = new Conversation<string, string>(answers);
  other.read(
    port.messages[0],
    (kind, reader) => heard.push([kind, reader.int()]),
    (note) => heard.push(note),
  );
  expect(heard).toEqual([[7, 1], 'two', [7, 3], 'four']);
  other.note('thanks');
  await turn();
  expect(answers.messages[0].seen).toBe(1);
  // What is said in the middle of reading was said without knowing the rest.
  other.read(
    port.messages[0],
    () => {},
    () => other.note('wait'),
  );
  await turn();
  expect(answers.messages[1].seen).toBe(1);
});

test('the safe time is that of the session asked for, and of no other', () => {
  const writer = new SharedSigns();
  const reader = new SharedSigns(writer.memory);
  expect(reader.safeUntilMs(5n)).toBe(0);
  writer.set(5n, 1234.9, 7);
  expect(reader.safeUntilMs(5n)).toBe(1234); // rounded down: never longer than it is
  writer.set(6n, 9999, 8);
  expect(reader.safeUntilMs(5n)).toBe(0);
  expect(reader.safeUntilMs(6n)).toBe(9999);
  writer.set(0n, 0, 9);
  expect(reader.safeUntilMs(6n)).toBe(0);
  expect(reader.heardMs).toBe(9);
});
