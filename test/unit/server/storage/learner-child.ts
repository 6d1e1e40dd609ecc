/**
 * The process that learner-kill.test.ts kills: a learner that is synchronised over and over without a pause, each time with
 * a history that has to give way, and prints each epoch once it is stored as the current one. Its argument is the directory.
 */
import { writeSync } from 'node:fs';
import { Storage } from '../../../../src/server/storage/index.js';
import { bytesOf, textBytes } from './fixtures.js';

const EPOCH = 2 ** 32;

const { storage, recovered } = await Storage.open({ directory: process.argv[2] });
storage.onStored = () => {};
for (let epoch = recovered.acceptedEpoch + 1; ; epoch++) {
  const at = epoch * EPOCH;
  const append = (first: number, last: number) => storage.append(at + first, at + last, bytesOf(first, 3000));
  void storage.setEpochs(epoch, epoch - 1);
  append(1, 4);
  append(5, 9);
  void storage.truncateAfter(at + 4);
  append(5, 6);
  append(7, 30);
  storage.beginCheckpoint(at + 20, textBytes(`${epoch}`), { isFull: true });
  for (let page = 0; page < 4; page++)
    storage.checkpointPages([{ page: page + (epoch % 3), bytes: bytesOf(epoch, 9000) }]);
  storage.endCheckpoint();
  append(21, 22);
  await storage.setEpochs(epoch, epoch);
  writeSync(1, `${epoch}\n`);
}
