import { ConfigError, type Ensemble, formatEnsemble, parseEnsemble } from '../../../../src/server/config/index.js';

function parse(...lines: string[]): Ensemble {
  return parseEnsemble(
    lines.map((text, index) => {
      const equals = text.indexOf('=');
      const origin = { source: 'file', file: 'zoo.cfg', line: index + 1 } as const;
      return { name: text.slice(0, equals), value: text.slice(equals + 1), origin };
    }),
  );
}

describe('server lines', () => {
  test('every part of a line is read', () => {
    const { servers } = parse('server.3=[::1]:2888:3888:observer|b.example:2889:3889:observer;10.0.0.1:2181;2281');
    expect(servers).toEqual([
      {
        id: 3,
        addresses: [
          { host: '::1', quorumPort: 2888, electionPort: 3888 },
          { host: 'b.example', quorumPort: 2889, electionPort: 3889 },
        ],
        role: 'observer',
        client: { host: '10.0.0.1', port: 2181 },
        secureClient: { host: undefined, port: 2281 },
        group: undefined,
        weight: 1,
      },
    ]);
  });

  test('a bare port or 0.0.0.0 is every address, an empty client part none', () => {
    const { servers } = parse('server.1=a:1:2;2181', 'server.2=b:1:2;0.0.0.0:2181', 'server.3=c:1:2:participant;;2281');
    expect(servers.map((server) => server.client)).toEqual([
      { host: undefined, port: 2181 },
      { host: undefined, port: 2181 },
      undefined,
    ]);
    expect(servers[2]?.secureClient).toEqual({ host: undefined, port: 2281 });
  });

  test('groups, weights and the version', () => {
    const ensemble = parse('server.1=a:1:2', 'server.2=b:1:2', 'group.7=1:2', 'weight.2=3', 'version=1f');
    expect(ensemble.version).toBe(0x1fn);
    expect(ensemble.servers.map(({ group, weight }) => [group, weight])).toEqual([
      [7, 1],
      [7, 3],
    ]);
  });

  test('what is written is read again', () => {
    const lines = [
      'server.1=[::1]:1:2:participant;127.0.0.1:2181',
      'server.2=b:1:2|c:3:4:observer;0.0.0.0:2181;0.0.0.0:2281',
      'server.4=d:1:2:participant;;127.0.0.1:2281',
      'group.1=1:4',
      'weight.4=0',
      'version=a0',
    ];
    expect(formatEnsemble(parse(...lines))).toEqual(lines);
  });

  test.each([
    [['server.1=a:2888'], 1, "'a:2888' is not the address"],
    [['server.1=a:2888:3888:leader'], 1, "'leader' is not a role"],
    [['server.1=a:2888:99999'], 1, '99999 is not a port'],
    [['server.1=a:2888:2888'], 1, 'for quorum and election'],
    [['server.1=a:1:2;x:y'], 1, 'not a client address'],
    [['server.1=a:1:2;1;2;3'], 1, 'more than two client addresses'],
    [['server.one=a:1:2'], 1, "'one' is not a number"],
    [['server.255=a:1:2'], 1, "'255' is not a number from 0 to 254"],
    [['server.1=a:1:2', 'server.1=b:1:2'], 2, 'given twice'],
    [['server.1=a:1:2', 'server.2=b:1:2', 'group.1=1'], 2, 'in no group'],
    [['server.1=a:1:2', 'group.1=1', 'group.2=1'], 3, 'in two groups'],
    [['server.1=a:1:2', 'weight.1=much'], 2, 'not a weight'],
    [['version=xyz'], 1, 'not a version'],
  ])('%j is refused', (lines, line, problem) => {
    const attempt = () => parse(...lines);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(problem);
    expect(attempt).toThrow(`zoo.cfg:${line}: `);
  });
});
