/**
 * What is done to a cluster. Each fault breaks something, waits while the clients feel it, and mends it again; that all
 * servers serve afterwards is the runner's business. A fault that does not find what it says must happen throws.
 */
import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setsIn } from '../../src/server/storage/index.js';
import type { Random } from '../../src/std/random.js';
import { waitFor } from '../helpers/processes.js';
import type { Cluster } from './cluster.js';
import { CLEAN, CUT, type Quality } from './network/network.js';
import { type Server, whyNoClock } from './server.js';

export interface Scene {
  readonly cluster: Cluster;
  readonly random: Random;
  /** For the report: something that an operator should know. */
  remark(text: string): void;
}

export interface Fault {
  readonly name: string;
  readonly what: string;
  /** Whether the servers need clocks of their own. */
  readonly hasOwnClocks?: boolean;
  /** Why it cannot strike here; undefined when it can. */
  whyNot?(cluster: Cluster): string | undefined;
  strike(scene: Scene): Promise<void>;
}

/** Longer than a silent server is waited for (syncLimit ticks, 2 s), and than sessions of 3 s live. */
const LONG_MS = 6000;
const SHORT_MS = 2500;
/** How long a server may take to notice that its disk is gone, or to come back by itself. */
const NOTICE_MS = 40_000;

const whyNoDisks = ({ whyNoDisks }: Cluster) => whyNoDisks;

async function roles({ cluster, random }: Scene): Promise<{ leader: Server; followers: Server[] }> {
  const leader = await cluster.serving();
  return { leader, followers: random.shuffle(cluster.others(leader)) };
}

/** A moment that differs from time to time, so that faults meet a server in the middle of everything. */
function moment({ random }: Scene, ms: number): Promise<void> {
  return sleep(ms * (0.6 + random.int(800) / 1000));
}

// --- processes

async function killed(scene: Scene, servers: readonly Server[], ms: number): Promise<void> {
  await Promise.all(servers.map((server) => server.end('SIGKILL')));
  await moment(scene, ms);
  for (const server of servers) server.start();
}

async function paused(scene: Scene, servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.pause();
  await moment(scene, LONG_MS);
  for (const server of servers) server.resume();
}

async function rollingRestart(scene: Scene): Promise<void> {
  const { leader, followers } = await roles(scene);
  for (const server of [...followers, leader]) {
    await server.end('SIGTERM');
    await moment(scene, 300);
    server.start();
    await scene.cluster.serving();
  }
}

// --- links

async function linksOf(scene: Scene, spoil: () => void): Promise<void> {
  spoil();
  await moment(scene, LONG_MS);
  scene.cluster.heal();
}

async function allLinks(scene: Scene, quality: Quality): Promise<void> {
  const { cluster } = scene;
  await linksOf(scene, () => {
    cluster.between(cluster.servers, cluster.servers, quality);
    cluster.toClients(cluster.servers, quality);
  });
}

/** Links between servers come and go, each by itself. */
async function unstableLinks(scene: Scene): Promise<void> {
  const { cluster, random } = scene;
  const untilMs = performance.now() + LONG_MS;
  while (performance.now() < untilMs) {
    const [one, other] = random.shuffle([...cluster.servers]);
    cluster.fromTo([one], [other], random.bool() ? CUT : CLEAN);
    await moment(scene, 400);
  }
  cluster.heal();
}

// --- disks

async function fullDisks(scene: Scene, servers: readonly Server[]): Promise<void> {
  for (const { disk } of servers) disk?.fill();
  await moment(scene, LONG_MS);
  for (const { disk } of servers) disk?.free();
}

/** Its disk answers nothing but errors: it has to stop by itself, for it cannot know what is stored. */
async function deadDisk(scene: Scene, server: Server): Promise<void> {
  server.disk?.die();
  await waitFor(
    () => (server.alive ? undefined : true),
    NOTICE_MS,
    () => `server ${server.id} lives on without its disk`,
  ).catch((error: Error) => {
    if (scene.cluster.subject === 'zabra') throw error;
    scene.remark('the server lived on without its disk, and had to be killed');
  });
  await server.end('SIGKILL');
  server.disk?.replace();
  server.start();
}

async function readOnlyDisk(scene: Scene, server: Server): Promise<void> {
  await server.end('SIGKILL');
  server.disk?.setReadOnly(true);
  server.start();
  await moment(scene, SHORT_MS);
  const isServing = (await server.mode()) !== 'none';
  await server.end('SIGKILL');
  server.disk?.setReadOnly(false);
  server.start();
  if (isServing) throw new Error(`server ${server.id} serves with a disk that it cannot write to`);
}

/** All at once lose their current: nothing is left but what was synced. */
async function powerCut(scene: Scene): Promise<void> {
  const { servers } = scene.cluster;
  for (const { disk } of servers) disk?.die();
  await Promise.all(servers.map((server) => server.end('SIGKILL')));
  for (const server of servers) {
    server.disk?.replace();
    server.start();
  }
}

/** One server is killed, its files are spoilt, and it is started again: it must come back by itself, and whole. */
async function spoilt(scene: Scene, server: Server, spoil: (file: string, random: Random) => void): Promise<void> {
  await server.end('SIGKILL');
  for (const file of dataFiles(server.dataDir)) spoil(file, scene.random);
  await moment(scene, 500);
  const sets = setsIn(server.dataDir);
  server.start();
  const isBack = async () => {
    if (!server.alive) throw new Error(`server ${server.id} does not start on spoilt files`);
    return (await server.mode()) === 'none' ? undefined : true;
  };
  try {
    await waitFor(isBack, NOTICE_MS, () => `server ${server.id} does not come back on spoilt files`);
    if (setsIn(server.dataDir).at(-1) !== sets.at(-1)) scene.remark('the server itself took a copy from the others');
  } catch (error) {
    if (scene.cluster.subject === 'zabra') throw error;
    scene.remark('the server did not start: its data had to be deleted by hand');
    await server.end('SIGKILL');
    server.loseData();
    server.start();
  }
}

/** What a server keeps, by whichever name: the files that are large enough to hold something. */
function dataFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(myid|.*\.lock|zabra\.aside.*)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size >= 1024);
}

function flipBytes(file: string, random: Random): void {
  const { size } = statSync(file);
  const fd = openSync(file, 'r+');
  const byte = new Uint8Array(1);
  for (let i = 0; i < 20; i++) {
    const position = random.int(size);
    readSync(fd, byte, 0, 1, position);
    byte[0] ^= 1 + random.int(255);
    writeSync(fd, byte, 0, 1, position);
  }
  closeSync(fd);
}

function cutShort(file: string, random: Random): void {
  truncateSync(file, random.int(statSync(file).size));
}

async function lostData(scene: Scene, server: Server): Promise<void> {
  await server.end('SIGKILL');
  server.loseData();
  await moment(scene, 500);
  server.start();
}

// --- clocks

const HOUR_S = 3600;

async function clockJumps(scene: Scene): Promise<void> {
  const { cluster, random } = scene;
  for (let jump = 0; jump < 3; jump++) {
    for (const server of cluster.servers) server.setClock(random.int(4 * HOUR_S) - 2 * HOUR_S);
    await moment(scene, SHORT_MS);
  }
  for (const server of cluster.servers) server.setClock(0);
  await moment(scene, SHORT_MS);
}

type Victims = (scene: Scene) => Promise<readonly Server[]>;
const LEADER: Victims = async (scene) => [(await roles(scene)).leader];
const FOLLOWER: Victims = async (scene) => [(await roles(scene)).followers[0]];
const ALL: Victims = async ({ cluster }) => cluster.servers;
const ANY: Victims = async ({ cluster, random }) => [random.pick(cluster.servers)];

export const FAULTS: readonly Fault[] = [
  { name: 'none', what: 'nothing is done', strike: (scene) => moment(scene, LONG_MS) },

  ...(
    [
      ['leader', LEADER],
      ['follower', FOLLOWER],
      ['all', ALL],
    ] as const
  ).flatMap(([whom, victims]): Fault[] => [
    {
      name: `kill-${whom}`,
      what: `SIGKILL, and started again after a while: ${whom}`,
      strike: async (scene) => killed(scene, await victims(scene), whom === 'all' ? 200 : SHORT_MS),
    },
    {
      name: `pause-${whom}`,
      what: `SIGSTOP for longer than others wait: ${whom}`,
      strike: async (scene) => paused(scene, await victims(scene)),
    },
    {
      name: `full-disk-${whom}`,
      what: `no room on the disk: ${whom}`,
      whyNot: whyNoDisks,
      strike: async (scene) => fullDisks(scene, await victims(scene)),
    },
  ]),

  {
    name: 'isolate-leader',
    what: 'the leader and both others do not reach each other; clients reach all',
    strike: async (scene) => {
      const { leader, followers } = await roles(scene);
      await linksOf(scene, () => scene.cluster.between([leader], followers, CUT));
    },
  },
  {
    name: 'isolate-follower',
    what: 'a follower and both others do not reach each other; clients reach all',
    strike: async (scene) => {
      const { leader, followers } = await roles(scene);
      await linksOf(scene, () => scene.cluster.between([followers[0]], [leader, followers[1]], CUT));
    },
  },
  {
    name: 'deaf-leader',
    what: 'one way: the leader is heard, and hears no other server',
    strike: async (scene) => {
      const { leader, followers } = await roles(scene);
      await linksOf(scene, () => scene.cluster.fromTo(followers, [leader], CUT));
    },
  },
  {
    name: 'mute-leader',
    what: 'one way: the leader hears the other servers, and is not heard',
    strike: async (scene) => {
      const { leader, followers } = await roles(scene);
      await linksOf(scene, () => scene.cluster.fromTo([leader], followers, CUT));
    },
  },
  {
    name: 'bridge',
    what: 'the leader and one follower do not reach each other; the third server reaches both',
    strike: async (scene) => {
      const { leader, followers } = await roles(scene);
      await linksOf(scene, () => scene.cluster.between([leader], [followers[0]], CUT));
    },
  },
  {
    name: 'cut-off-clients',
    what: 'no client reaches the leader; servers reach each other',
    strike: async (scene) => {
      const { leader } = await roles(scene);
      await linksOf(scene, () => scene.cluster.toClients([leader], CUT));
    },
  },
  {
    name: 'slow-links',
    what: 'everything takes 40 to 120 ms each way, between servers and to clients',
    strike: (scene) => allLinks(scene, { delayMs: 40, jitterMs: 80 }),
  },
  {
    name: 'lossy-links',
    what: 'every tenth packet is lost, between servers and to clients',
    strike: (scene) => allLinks(scene, { loss: 0.1 }),
  },
  { name: 'unstable-links', what: 'links between servers come and go, one way each', strike: unstableLinks },

  {
    name: 'dead-disk-leader',
    what: 'the disk of the leader dies: EIO for every read, write and fsync',
    whyNot: whyNoDisks,
    strike: async (scene) => deadDisk(scene, (await LEADER(scene))[0]),
  },
  {
    name: 'dead-disk-follower',
    what: 'the disk of a follower dies: EIO for every read, write and fsync',
    whyNot: whyNoDisks,
    strike: async (scene) => deadDisk(scene, (await FOLLOWER(scene))[0]),
  },
  {
    name: 'read-only-disk',
    what: 'a server is started on a disk that cannot be written to',
    whyNot: whyNoDisks,
    strike: async (scene) => readOnlyDisk(scene, (await ANY(scene))[0]),
  },
  {
    name: 'power-cut',
    what: 'all are killed and everything that was not synced is lost',
    whyNot: whyNoDisks,
    strike: powerCut,
  },
  {
    name: 'corrupt-files',
    what: 'a server is killed and 20 bytes of each of its files are changed',
    strike: async (scene) => spoilt(scene, (await ANY(scene))[0], flipBytes),
  },
  {
    name: 'truncated-files',
    what: 'a server is killed and each of its files is cut short somewhere',
    strike: async (scene) => spoilt(scene, (await ANY(scene))[0], cutShort),
  },
  {
    name: 'lost-data',
    what: 'a server is killed and its data directory is emptied',
    strike: async (scene) => lostData(scene, (await ANY(scene))[0]),
  },

  {
    name: 'clock-jumps',
    what: 'the clocks of all servers jump, by up to two hours in both directions',
    hasOwnClocks: true,
    whyNot: ({ subject }) =>
      subject === 'zookeeper'
        ? 'under libfaketime three JVMs do not come to an ensemble within a minute'
        : whyNoClock(),
    strike: clockJumps,
  },
  { name: 'rolling-restart', what: 'SIGTERM and start, one after the other, the leader last', strike: rollingRestart },
];
