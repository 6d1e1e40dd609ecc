/**
 * Which server the interop suites run against: ours by default, real ZooKeeper with
 * ZABRA_INTEROP_TARGET=zookeeper. Every suite passes on the oracle first; that is what makes it a test of ours.
 */
import type { ServerUnderTest } from '../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';

export type TargetName = ServerUnderTest['name'];

export function targetName(): TargetName {
  const name = process.env.ZABRA_INTEROP_TARGET ?? 'zabra';
  if (name !== 'zabra' && name !== 'zookeeper') {
    throw new Error(`ZABRA_INTEROP_TARGET is zabra or zookeeper, not ${name}`);
  }
  return name;
}

/** Why the target cannot be started here; undefined when it can. */
export function whyNoTarget(): string | undefined {
  return targetName() === 'zookeeper' ? whyNoZooKeeper() : undefined;
}

/** Starts the target with these zoo.cfg lines on top of the helpers' defaults. */
export function startTarget(settings: Readonly<Record<string, string>> = {}): Promise<ServerUnderTest> {
  return targetName() === 'zookeeper' ? startZooKeeper(settings) : startZabra(settings);
}

/**
 * describe that is skipped by name: the first reason that is given becomes part of the title of a skipped test.
 * @param reasons undefined where nothing is missing.
 */
export function describeUnless(reasons: ReadonlyArray<string | undefined>, title: string, body: () => void): void {
  const reason = reasons.find((candidate) => candidate !== undefined);
  if (reason === undefined) describe(title, body);
  else describe(title, () => test.skip(`skipped: ${reason}`, () => undefined));
}
