// For tests of programs that use Zabra, and for those of Zabra itself.
//
// `startTestServer` is a real server on a free port. `VirtualWorld` with its servers and clients is the same server
// without any I/O, in virtual time and driven by a seed: it can crash, lose unsynced writes and run out of disk at
// every point, and a failure replays exactly. `VirtualEnsemble` is several of them, and the network between them.

export { startTestServer, type TestServer, type TestServerOptions } from './test-server.js';
export {
  type ConnectOptions,
  type ConnectReply,
  type Event,
  type OperationRequest,
  type OperationResponse,
  type Received,
  type Reply,
  VirtualClient,
} from './virtual-client.js';
export { type StoredBatch, VirtualDisk } from './virtual-disk.js';
export { type EnsembleSetup, VirtualEnsemble } from './virtual-ensemble.js';
export { type Host, type NetworkTap, VirtualNetwork } from './virtual-network.js';
export {
  DEFAULT_ENSEMBLE_OPTIONS,
  DEFAULT_REPLICA_OPTIONS,
  type ServerWitness,
  VirtualServer,
} from './virtual-server.js';
export { Pipe, type PipeEnd, VirtualSocket } from './virtual-socket.js';
export { VirtualWorld, type WorldOptions } from './virtual-world.js';
