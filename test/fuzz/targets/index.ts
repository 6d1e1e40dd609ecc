/** All targets, the quick ones first. */
import type { Target } from '../target.js';
import { clientPort } from './client-port.js';
import { configuration } from './configuration.js';
import { database } from './database.js';
import { fourLetterWords, liveClientPort, livePeerPort } from './live.js';
import { peerPort } from './peer-port.js';

export const TARGETS: readonly Target[] = [
  configuration,
  database,
  peerPort,
  clientPort,
  fourLetterWords,
  livePeerPort,
  liveClientPort,
];
