/** Execution of batches: order of what the audience hears, dead sessions, the state between entries. */
import { OpCode } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { operations } from '../../../../protocol/client/operations.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { type Batch, BatchBuilder } from '../../../../protocol/peer/entries.js';
import { CreateSessionRequest } from '../../../../src/core/ops/create-session.js';
import { Applier } from '../../../../src/core/pipeline/apply.js';
import { Auditor } from '../../../../src/core/pipeline/audit.js';
import { AssertionFailure } from '../../../../src/std/assert.js';
import { createWorld, OPEN_ACL } from '../../../helpers/world.js';

const SESSION = 99;

class Script {
  private readonly builder = new BatchBuilder(0);
  private cxid = 0;

  add(operation: number, session: number, write: (writer: JuteWriter) => void = () => {}): this {
    const writer = new JuteWriter();
    write(writer);
    this.builder.add(operation, session, ++this.cxid, [], writer.bytes, 0, writer.position);
    return this;
  }

  session(session = SESSION): this {
    return this.add(OpCode.createSession, session, (writer) =>
      CreateSessionRequest.write(writer, { timeoutMs: 1000, password: new Uint8Array(16) }),
    );
  }

  create(path: string, flags = 0, session = SESSION): this {
    return this.add(OpCode.create, session, (writer) =>
      operations.create.request.write(writer, { path, data: null, acl: OPEN_ACL, flags }),
    );
  }

  batch(firstZxid: number): Batch {
    return this.builder.close(firstZxid, 5000);
  }
}

function applier() {
  const heard: string[] = [];
  const world = createWorld();
  const one: Applier = new Applier(world, {
    executing: (session) => {
      heard.push(`executing ${session} at ${one.lastZxid}`);
      return true;
    },
    changed: ({ kind, path }, zxid) => heard.push(`${kind} ${path} ${zxid}`),
    executed: (session, cxid, _operation, code, body) =>
      heard.push(`executed ${session}/${cxid} ${code} ${code === 0 ? body.position : '-'} at ${one.lastZxid}`),
  });
  return { world, applier: one, heard };
}

test('for each entry: a word before it, then its changes, then its outcome (E59)', () => {
  const { applier: one, heard } = applier();
  one.apply(new Script().session().create('/a').create('/a').batch(10));
  expect(heard).toEqual([
    `executing ${SESSION} at 0`,
    `executed ${SESSION}/1 0 0 at 10`,
    `executing ${SESSION} at 10`,
    'created /a 11',
    `executed ${SESSION}/2 0 6 at 11`,
    `executing ${SESSION} at 11`,
    `executed ${SESSION}/3 ${Code.NodeExists} - at 12`,
  ]);
});

test('a session that is closed takes its ephemerals with it, and what comes behind is refused (E21)', () => {
  const { world, applier: one, heard } = applier();
  one.apply(new Script().session().create('/e', 1).add(OpCode.closeSession, SESSION).create('/late').batch(1));
  expect(heard.filter((line) => !line.startsWith('executing')).slice(-3)).toEqual([
    'deleted /e 3',
    `executed ${SESSION}/3 0 0 at 3`,
    `executed ${SESSION}/4 ${Code.SessionExpired} - at 4`,
  ]);
  expect([world.tree.ephemeralCount, world.sessions.size]).toEqual([0, 0]);
});

test('what the server itself asks for needs no session', () => {
  const { applier: one, heard } = applier();
  one.apply(new Script().create('/a', 0, 0).batch(1));
  expect(heard).toContain('created /a 1');
});

test('nothing is executed twice or backwards', () => {
  const { applier: one } = applier();
  one.apply(new Script().session().batch(5));
  expect(() => one.apply(new Script().session(7).batch(5))).toThrow(AssertionFailure);
});

test('an entry that cannot be executed fails, changes nothing and stops nobody; it is not audited', () => {
  const { world, applier: one, heard } = applier();
  const records: unknown[] = [];
  one.auditor = new Auditor(
    world,
    () => true,
    (record) => records.push(record),
  );
  const digest = world.tree.digest();
  one.apply(
    new Script()
      .add(4711, 0)
      .add(OpCode.create, 0, (writer) => writer.int(1_000_000))
      .add(OpCode.multi, 0, (writer) => writer.int(OpCode.create))
      .add(OpCode.create, 4711, (writer) => writer.int(1_000_000))
      .batch(6),
  );
  expect(world.tree.digest()).toEqual(digest);
  expect(heard.filter((line) => line.startsWith('executed'))).toEqual([
    `executed 0/1 ${Code.Unimplemented} - at 6`,
    `executed 0/2 ${Code.MarshallingError} - at 7`,
    `executed 0/3 ${Code.MarshallingError} - at 8`,
    `executed 4711/4 ${Code.SessionExpired} - at 9`,
  ]);
  expect(records).toEqual([]);
});

test('a full copy of a later state is where it goes on; one of an earlier state is refused', () => {
  const { applier: one } = applier();
  one.apply(new Script().session().batch(5));
  expect(() => one.startAt(4)).toThrow(AssertionFailure);
  one.startAt(9);
  expect(() => one.apply(new Script().session(7).batch(9))).toThrow(AssertionFailure);
  one.apply(new Script().session(7).batch(10));
  expect(one.lastZxid).toBe(10);
});
