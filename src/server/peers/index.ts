// The links between the servers of an ensemble, as the rest of the server sees them.

export { type PeerLinksOptions, type PeerMember, peerLinksOptions } from './options.js';
export type { PeerHandlers, PeerStatus } from './peer.js';
export { PeerLinks } from './peer-links.js';
export { errorText, type PeerSockets, plainSockets } from './sockets.js';
export { openTlsSockets, type TlsSocketsOptions, tlsSockets } from './tls-sockets.js';
