import { parseBlocks, parseCons, parseEphemerals } from '../../../../src/cli/shell/cluster-sessions.js';

test('cons: connections with a session, IPv6 among them', () => {
  const text = [
    ' /10.0.0.7:41234[1](queued=0,recved=6,sent=7,sid=0x1000a0001,lop=PING,est=1700000000000,to=30000,lcxid=0x5)',
    ' /[0:0:0:0:0:0:0:1]:5000[1](queued=0,recved=1,sent=1,sid=0x2,lop=SESS,est=1,to=4000,lcxid=0x0)',
    ' /127.0.0.1:52994[0](queued=0,recved=1,sent=0)',
    '',
  ].join('\n');
  expect(parseCons(text, 'zk1:2181')).toEqual([
    { session: '0x1000a0001', client: '10.0.0.7:41234', server: 'zk1:2181', timeoutMs: 30000, lastOperation: 'PING' },
    { session: '0x2', client: '[0:0:0:0:0:0:0:1]:5000', server: 'zk1:2181', timeoutMs: 4000, lastOperation: 'SESS' },
  ]);
});

test('dump: only the part with ephemeral nodes', () => {
  const text = [
    'SessionTracker dump:',
    'Session Sets (1)/(1):',
    '1 expire at Wed Nov 25 04:03:33 UTC 2026:',
    '\t0x3',
    'ephemeral nodes dump:',
    'Sessions with Ephemerals (2):',
    '0x1:',
    '\t/a',
    '\t/b c',
    '0x2:',
    '\t/d',
    'Connections dump:',
    'Connections Sets (1)/(1):',
    '\tip: /127.0.0.1:1 sessionId: 0x4',
    '',
  ].join('\n');
  expect([...parseEphemerals(text)]).toEqual([
    ['0x1', ['/a', '/b c']],
    ['0x2', ['/d']],
  ]);
});

test('wchc: a session that is named twice has all its paths', () => {
  expect([...parseBlocks('0x1\n\t/a\n0x2\n\t/a\n0x1\n\t/b\n\n')]).toEqual([
    ['0x1', ['/a', '/b']],
    ['0x2', ['/a']],
  ]);
});
