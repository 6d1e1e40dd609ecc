// What the word `envi` tells about the process and the machine, under ZooKeeper's keys: `java.*` stand for Node, so
// that scripts which read them find a line.

import os from 'node:os';
import process from 'node:process';

const MIB = 1024 * 1024;

/** All pairs of `envi` in ZooKeeper's order; `version` as versionText makes it. */
export function environmentPairs(version: string): [string, string][] {
  const { heapTotal, heapUsed } = process.memoryUsage();
  const user = userInfo();
  return [
    ['zookeeper.version', version],
    ['host.name', os.hostname()],
    ['java.version', process.versions.node],
    ['java.vendor', 'Node.js'],
    ['java.home', process.execPath],
    ['java.class.path', process.argv[1] ?? ''],
    ['java.library.path', ''],
    ['java.io.tmpdir', os.tmpdir()],
    ['java.compiler', `V8 ${process.versions.v8}`],
    ['os.name', os.type()],
    ['os.arch', process.arch],
    ['os.version', os.release()],
    ['user.name', user.name],
    ['user.home', user.home],
    ['user.dir', process.cwd()],
    ['os.memory.free', `${Math.round((heapTotal - heapUsed) / MIB)}MB`],
    ['os.memory.max', `${Math.round(os.totalmem() / MIB)}MB`],
    ['os.memory.total', `${Math.round(heapTotal / MIB)}MB`],
  ];
}

/** A user id without an entry in the system's table is common in containers; Java shows `?` then. */
function userInfo(): { name: string; home: string } {
  try {
    const { username, homedir } = os.userInfo();
    return { name: username, home: homedir };
  } catch {
    return { name: '?', home: '?' };
  }
}
