/** Admin commands of a member of an ensemble, from facts alone; those of a server on its own are in http.test.ts. */
import { findAdminCommand } from '../../../../src/server/admin/commands.js';
import type { MemberFacts, ServerFacts } from '../../../../src/server/admin/server-facts.js';
import { loadConfig } from '../../../../src/server/config/index.js';

const { config } = loadConfig({ env: {} });

function member(id: number, role: MemberFacts['role'] = 'participant'): MemberFacts {
  return {
    id,
    serverAddresses: [`host${id}:2888`],
    electionAddresses: [`host${id}:3888`],
    clientAddress: `host${id}:2181`,
    role,
  };
}

function ask(name: string, facts: Partial<ServerFacts>) {
  return findAdminCommand(name)?.answer(facts as ServerFacts, config);
}

const members = () => [member(1), member(2), member(3, 'observer')];

test('voting_view shows those who vote', () => {
  const view = (id: number) => ({
    serverAddresses: [`host${id}:2888`],
    electionAddresses: [`host${id}:3888`],
    clientAddress: `host${id}:2181`,
    learnerType: 'participant',
  });
  expect(ask('voting_view', { members })).toEqual({ current_config: { 1: view(1), 2: view(2) } });
});

test('zabstate tells of the server itself, its phase and its zxid', () => {
  const facts = { members, mode: 'leader', zxid: (5n << 32n) + 7n } as const;
  expect(ask('zabstate', { ...facts, zab: { id: 2, phase: 'broadcast' } })).toEqual({
    myid: 2,
    is_leader: true,
    quorum_address: 'host2:2888',
    election_address: 'host2:3888',
    client_address: 'host2:2181',
    voting: true,
    last_zxid: '0x500000007',
    zab_epoch: 5,
    zab_counter: 7,
    zabstate: 'broadcast',
  });
  const observer = { ...facts, mode: 'observer', zab: { id: 3, phase: 'discovery' } } as const;
  expect(ask('zabstate', observer)).toMatchObject({ voting: false, is_leader: false, zabstate: 'discovery' });
});

test('last_snapshot has the zxid in hexadecimal and the time in seconds', () => {
  const lastSnapshot = () => ({ zxid: 0x1_0000_00ffn, timeMs: 1_700_000_000_999 });
  expect(ask('lsnp', { lastSnapshot })).toEqual({ zxid: '1000000ff', timestamp: 1_700_000_000 });
});

test('observers lists those in step', () => {
  const one = { remote_address_and_port: '10.0.0.3:40000', sid: 3, status: 'synced' } as const;
  expect(ask('obsr', { observers: () => [one] })).toEqual({ synced_observers: 1, observers: [one] });
});
