// Who connects without being one of us: the first bytes usually tell, and the log then says what to do about it.

const ZOOKEEPER = "a server of ZooKeeper's; its servers and these cannot be in one ensemble";

const SIGNS: readonly (readonly [prefix: readonly number[], who: string])[] = [
  // Its learners begin with the type of a packet, its election with a negative protocol version.
  [[0, 0, 0, 11], ZOOKEEPER],
  [[0, 0, 0, 16], ZOOKEEPER],
  [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], ZOOKEEPER],
  [[0x16, 3], 'someone who speaks TLS; sslQuorum has to be the same on every server'],
  [[0x15, 3], 'someone who speaks TLS; sslQuorum has to be the same on every server'],
  [[...Buffer.from('GET ')], 'someone who speaks HTTP; this port is for servers of the ensemble only'],
  [[...Buffer.from('POST')], 'someone who speaks HTTP; this port is for servers of the ensemble only'],
  [[...Buffer.from('HTTP')], 'someone who speaks HTTP; the port in the server line is not the one for servers'],
  // A client's ConnectRequest: its length, then protocol version 0.
  [[0, 0, 0, 44, 0, 0, 0, 0], 'a client; clients connect to clientPort'],
  [[0, 0, 0, 45, 0, 0, 0, 0], 'a client; clients connect to clientPort'],
];

/** What the bytes look like, as a phrase. */
export function describeStranger(bytes: Uint8Array): string {
  const sign = SIGNS.find(([prefix]) => prefix.every((byte, index) => bytes[index] === byte));
  if (sign !== undefined) return sign[1];
  const shown = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  return `someone unknown, who begins with the bytes ${shown}`;
}
