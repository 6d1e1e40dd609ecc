/**
 * The process that kill.test.ts kills: appends without a pause, four batches in flight, checkpoints in between, and
 * prints each acknowledged zxid. Its argument is the directory. `contentOf` is what batch and page hold.
 */
import { writeSync } from 'node:fs';
import { Storage } from '../../../../src/server/storage/index.js';
import { bytesOf } from './fixtures.js';

const PAGES = 12;

const { storage, recovered } = await Storage.open({ directory: process.argv[2], logRetainBatches: 50 });
let zxid = recovered.lastZxid;
const next = () => {
  zxid++;
  storage.append(zxid, zxid, bytesOf(zxid, 200 + (zxid % 7) * 3000));
};
let checkpointZxid = recovered.checkpoint?.zxid ?? 0;
let isCheckpointing = false;
storage.onStored = (upTo) => {
  writeSync(1, `${upTo}\n`);
  while (zxid - upTo < 4) next();
  if (!isCheckpointing && upTo > checkpointZxid + 30) {
    isCheckpointing = true;
    storage.beginCheckpoint(upTo, bytesOf(upTo, 10));
    for (let page = 0; page < PAGES; page++) storage.checkpointPages([{ page, bytes: bytesOf(upTo + page, 5000) }]);
    storage.endCheckpoint();
  }
};
storage.onCheckpointed = (at) => {
  checkpointZxid = at;
  isCheckpointing = false;
};
next();
