// For tests of programs that use Zabra, and for those of Zabra itself.
//
// `startServer` and `startEnsemble` are servers for a test of yours: in its process, over TCP, with nothing on disk, and
// with whatever can go wrong at hand. `startTestServer` is a server as it runs in production, with a disk and all options.
// `VirtualWorld` with its servers and clients is the same server without any I/O, in virtual time and driven by a seed: it
// can crash, lose unsynced writes and run out of disk at every point, and a failure replays exactly. `VirtualEnsemble` is
// several of them, and the network between them.

export { type ConnectReply, type Event, type Packet, PacketReader, type Reply } from './packet-reader.js';
export {
  type SessionOwner,
  startEnsemble,
  startServer,
  TestEnsemble,
  type TestEnsembleOptions,
} from './test-ensemble.js';
export { startTestServer, type TestServer, type TestServerOptions } from './test-server.js';
export {
  type ConnectOptions,
  type OperationRequest,
  type OperationResponse,
  type Received,
  VirtualClient,
} from './virtual-client.js';
export { type StoredBatch, VirtualDisk } from './virtual-disk.js';
export { type EnsembleSetup, VirtualEnsemble } from './virtual-ensemble.js';
export { type LinkTap, VirtualLink } from './virtual-link.js';
export { type Host, type NetworkTap, VirtualNetwork } from './virtual-network.js';
export { VirtualProcess } from './virtual-process.js';
export {
  DEFAULT_ENSEMBLE_OPTIONS,
  DEFAULT_REPLICA_OPTIONS,
  type ServerWitness,
  VirtualServer,
} from './virtual-server.js';
export { Pipe, type PipeEnd, VirtualSocket } from './virtual-socket.js';
export { VirtualWorld, type WorldOptions } from './virtual-world.js';
