/** The virtual world itself: time, order, and disks that lose what was not synced. */
import { VirtualDisk, VirtualWorld } from '../../../src/testing/index.js';

test('events come in the order of their time, then of their asking', () => {
  const world = new VirtualWorld();
  const seen: string[] = [];
  world.after(5, () => seen.push('b'));
  world.after(1, () => {
    seen.push('a');
    world.after(4, () => seen.push('c'));
  });
  world.run(4.9);
  expect(seen).toEqual(['a']);
  world.run(0.2);
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(world.nowMs).toBeCloseTo(5.1);
});

test('waiting for what never comes is an error, not a hang', () => {
  const world = new VirtualWorld();
  expect(() => world.runUntil(() => false, 'never')).toThrow('never');
});

test('the wall clock jumps, the other does not', () => {
  const world = new VirtualWorld({ wallMs: 1000 });
  world.jumpWallClock(-500);
  world.run(10);
  expect([world.wallMs, world.nowMs]).toEqual([510, 10]);
});

describe('a disk', () => {
  const batch = (zxid: number) => ({ firstZxid: zxid, lastZxid: zxid, bytes: new Uint8Array([zxid]) });

  function fixture() {
    const world = new VirtualWorld({ diskDelayMsMax: 10 });
    const disk = new VirtualDisk(world);
    const reports: string[] = [];
    disk.acceptedEpoch = 1;
    disk.attach({
      stored: (zxid) => reports.push(`stored ${zxid}`),
      storeFailed: (zxid) => reports.push(`failed ${zxid}`),
      storeResumed: () => reports.push('resumed'),
      epochsStored: (accepted, current) => reports.push(`epochs ${accepted}/${current}`),
      truncated: (zxid) => reports.push(`truncated ${zxid}`),
      checkpointed: (zxid) => reports.push(`checkpoint ${zxid}`),
      checkpointFailed: () => reports.push('checkpoint failed'),
      logEndFound: (reader, end) => reports.push(`end for ${reader}: ${end}`),
      logRead: (learner, batches) =>
        reports.push(`log for ${learner}: ${batches.map(({ firstZxid }) => firstZxid).join()}`),
      snapshotOpened: (learner, zxid) => reports.push(`snapshot for ${learner} at ${zxid}`),
      snapshotRead: (learner, pages) =>
        reports.push(`pages for ${learner}: ${pages.map(({ page, bytes }) => `${page}=${bytes[0]}`).join()}`),
    });
    return { world, disk, reports };
  }

  test('reports what is durable, in order', () => {
    const { world, disk, reports } = fixture();
    disk.append(batch(1));
    disk.append(batch(2));
    expect(disk.lastZxid).toBe(0);
    world.run(100);
    expect([disk.lastZxid, reports]).toEqual([2, ['stored 1', 'stored 2']]);
  });

  test('loses what was not synced at a crash, and never keeps a batch without the ones before it', () => {
    const kept = new Set<number>();
    for (let seed = 1; seed < 50; seed++) {
      const world = new VirtualWorld({ seed, diskDelayMsMax: 10 });
      const disk = new VirtualDisk(world);
      disk.acceptedEpoch = 1;
      for (const zxid of [1, 2, 3]) disk.append(batch(zxid));
      disk.crash(true);
      expect(disk.log.map(({ lastZxid }) => lastZxid)).toEqual([1, 2, 3].slice(0, disk.lastZxid));
      kept.add(disk.lastZxid);
      world.run(100);
      expect(disk.archive).toHaveLength(disk.lastZxid);
    }
    expect([...kept].sort()).toEqual([1, 2, 3]);
  });

  test('full: takes nothing from one batch on until it has room again', () => {
    const { world, disk, reports } = fixture();
    disk.append(batch(1));
    world.run(50);
    disk.isFull = true;
    disk.append(batch(2));
    disk.append(batch(3));
    world.run(200);
    disk.awaitRoom();
    world.run(200);
    disk.append(batch(4));
    disk.isFull = false;
    world.run(200);
    disk.append(batch(2));
    world.run(50);
    expect(reports).toEqual(['stored 1', 'failed 2', 'resumed', 'stored 2']);
  });

  test('full: an epoch behind a lost batch is lost with it; any other waits for room', () => {
    const { world, disk, reports } = fixture();
    disk.isFull = true;
    disk.append(batch(1));
    disk.storeEpochs(1, 1);
    world.run(200);
    disk.awaitRoom();
    disk.isFull = false;
    world.run(200);
    expect([reports, disk.currentEpoch]).toEqual([['failed 1', 'resumed'], 0]);
    disk.isFull = true;
    disk.storeEpochs(2, 1);
    disk.append(batch(1));
    world.run(200);
    expect(reports).toHaveLength(2);
    disk.isFull = false;
    world.run(200);
    expect(reports.slice(2)).toEqual(['epochs 2/1', 'stored 1']);
  });

  test('a gap in the log is an error of its user', () => {
    const { world, disk } = fixture();
    disk.append(batch(2));
    disk.append(batch(4));
    expect(() => world.run(50)).toThrow('cannot go on');
  });

  test('a checkpoint replaces pages, removes empty ones and cuts the log behind it', () => {
    const { world, disk, reports } = fixture();
    for (const zxid of [1, 2, 3]) disk.append(batch(zxid));
    disk.beginCheckpoint(2, new Uint8Array([7]));
    disk.checkpointPages([
      { page: 1, bytes: new Uint8Array([1]) },
      { page: 2, bytes: new Uint8Array([2]) },
    ]);
    disk.endCheckpoint();
    world.run(50);
    expect(disk.log.map(({ firstZxid }) => firstZxid)).toEqual([3]);
    disk.beginCheckpoint(3, new Uint8Array([8]));
    disk.checkpointPages([{ page: 1, bytes: new Uint8Array(0) }]);
    disk.endCheckpoint();
    world.run(50);
    expect([...disk.pages.keys()]).toEqual([2]);
    expect(disk.checkpoint).toEqual({ zxid: 3, header: new Uint8Array([8]) });
    expect(reports.slice(-2)).toEqual(['checkpoint 2', 'checkpoint 3']);
  });

  const page = (number: number, value: number) => ({ page: number, bytes: new Uint8Array([value]) });

  test('truncates behind what was appended before, and goes on from there', () => {
    const { world, disk, reports } = fixture();
    for (const zxid of [1, 2, 3]) disk.append(batch(zxid));
    disk.truncate(1);
    disk.append(batch(2));
    world.run(50);
    expect(disk.log.map(({ lastZxid }) => lastZxid)).toEqual([1, 2]);
    expect(reports.slice(-2)).toEqual(['truncated 1', 'stored 2']);
  });

  test('never takes an epoch back', () => {
    const { world, disk } = fixture();
    disk.storeEpochs(2, 1);
    disk.storeEpochs(1, 1);
    expect(() => world.run(50)).toThrow('never taken back');
  });

  test('keeps of the log what learners want, and reads it to them', () => {
    const { world, disk, reports } = fixture();
    for (const zxid of [1, 2, 3]) disk.append(batch(zxid));
    disk.keepLog(1);
    disk.beginCheckpoint(3, new Uint8Array(1));
    disk.endCheckpoint();
    world.run(50);
    disk.readLog(7, 1);
    disk.readLog(8, 0);
    world.run(50);
    expect(reports.slice(-2)).toEqual(['log for 7: 2,3', 'log for 8: ']);
    disk.findLogEnd(7, 2);
    disk.findLogEnd(8, 0);
    world.run(50);
    expect(reports.slice(-2)).toEqual(['end for 7: 2', 'end for 8: null']);
    disk.keepLog(Number.POSITIVE_INFINITY);
    expect(disk.log).toEqual([]);
  });

  test('a snapshot stays what it was while the next checkpoint is written', () => {
    const { world, disk, reports } = fixture();
    disk.append(batch(1));
    disk.beginCheckpoint(1, new Uint8Array(1));
    disk.checkpointPages([page(1, 1), page(2, 2), page(3, 3)]);
    disk.endCheckpoint();
    world.run(50);
    disk.openSnapshot(7);
    disk.readSnapshot(7);
    world.run(50);
    disk.append(batch(2));
    disk.beginCheckpoint(2, new Uint8Array(1));
    disk.checkpointPages([page(3, 9)]);
    disk.endCheckpoint();
    world.run(50);
    const from = reports.length;
    disk.readSnapshot(7);
    disk.readSnapshot(7);
    disk.closeSnapshot(7);
    disk.readSnapshot(7);
    world.run(50);
    expect(reports.slice(from)).toEqual(['pages for 7: 3=3', 'pages for 7: ']);
    expect(reports).toContain('snapshot for 7 at 1');
  });

  test('a full copy replaces pages and log', () => {
    const { world, disk } = fixture();
    for (const zxid of [1, 2]) disk.append(batch(zxid));
    disk.beginCheckpoint(1, new Uint8Array(1));
    disk.checkpointPages([page(1, 1)]);
    disk.endCheckpoint();
    disk.beginCheckpoint(9, new Uint8Array(1), true);
    disk.checkpointPages([page(2, 2)]);
    disk.endCheckpoint();
    disk.append(batch(10));
    world.run(50);
    expect([...disk.pages.keys()]).toEqual([2]);
    expect(disk.log.map(({ lastZxid }) => lastZxid)).toEqual([10]);
    expect(disk.lastZxid).toBe(10);
  });

  test('loses everything but the epoch it had promised, and its vote, when it is damaged', () => {
    const { world, disk } = fixture();
    disk.storeEpochs(3, 2);
    disk.append(batch(1));
    world.run(50);
    disk.crash(false);
    disk.lose();
    expect([disk.acceptedEpoch, disk.currentEpoch, disk.lastZxid, disk.isVoting]).toEqual([3, 0, 0, false]);
    disk.storeEpochs(4, 4);
    world.run(50);
    expect(disk.isVoting).toBe(true);
  });
});
