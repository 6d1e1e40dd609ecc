/** What is shared goes to addresses in equal parts, and within an address to sessions; only who waits is counted. */
import { Connection } from '../../../../src/core/pipeline/connections.js';
import { FairShare } from '../../../../src/core/pipeline/fair-share.js';

const share = new FairShare();
let count = 0;

function waiting(address: string): Connection {
  const connection = new Connection(++count, address, 1, 0);
  connection.lane.push({ kind: 'refusal', xid: 1, receivedMs: 0, code: -1 });
  share.update(connection);
  share.update(connection); // a second request changes nothing
  return connection;
}

test('parts of addresses and sessions, as they come and go', () => {
  const [one] = [waiting('a')];
  expect(share.of(one)).toBe(1);
  const others = Array.from({ length: 3 }, () => waiting('b'));
  expect(share.of(one)).toBe(1 / 2);
  for (const other of others) expect(share.of(other)).toBe(1 / 6);

  others[0].lane.clear();
  share.update(others[0]);
  others[1].parked = 1; // it does not take its output: it waits for nobody but itself
  share.update(others[1]);
  expect(share.of(others[2])).toBe(1 / 2);

  others[1].parked = 0;
  share.update(others[1]);
  expect(share.of(others[2])).toBe(1 / 4);
  for (const other of others) {
    other.lane.clear();
    share.update(other);
  }
  expect(share.of(one)).toBe(1);
  expect(share.of(new Connection(0, 'c', 1, 0))).toBe(1);
});
