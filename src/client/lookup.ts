// One name may stand for all servers of an ensemble, as a headless service of Kubernetes does. Then clients have to spread
// over its addresses, and one that comes back must not end at the same dead server again: names are looked up anew for
// every attempt, and the addresses tried in an order of chance.

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

export function shuffledLookup(lookup: typeof systemLookup = systemLookup, random = Math.random): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const shuffled = addresses
        .map((address) => ({ address, order: random() }))
        .sort((a, b) => a.order - b.order)
        .map(({ address }) => address);
      if (options.all === true) callback(null, shuffled);
      else callback(null, shuffled[0].address, shuffled[0].family);
    });
  };
}
