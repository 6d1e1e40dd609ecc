/**
 * kazoo, the Python client, with its recipes: each Python case is one test here. The cases are in the .py files beside
 * this one; they all share one server, each below a path of its own.
 */
import { kazooCases, runKazooCase, whyNoKazoo } from '../../helpers/kazoo.js';
import type { ServerUnderTest } from '../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';

const CASE_TIMEOUT_MS = 45_000;

describeUnless([whyNoKazoo(), whyNoTarget()], `kazoo against ${targetName()}`, () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startTarget();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  test.each(kazooCases())('%s', (name) => runKazooCase(server.address, name, CASE_TIMEOUT_MS));
});
