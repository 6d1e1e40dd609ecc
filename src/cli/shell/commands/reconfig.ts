import { readFile } from 'node:fs/promises';
import { defineCommand, flag, textFlag } from '../command.js';
import { HintedError, UsageError } from '../errors.js';
import { dataText, statJson, statLines } from '../format.js';

export const reconfig = defineCommand({
  name: 'reconfig',
  summary: 'Changes the ensemble: all members at once (-file, -members), or some (-add, -remove).',
  // As zkCli.sh has it.
  usage:
    'reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | ' +
    '[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  flags: {
    s: flag('also the stat of the new configuration'),
    v: textFlag('version', 'only if the present configuration has this version, in hexadecimal'),
    file: textFlag('path', 'a file with the server lines of all members'),
    members: textFlag('list', 'all members'),
    add: textFlag('list', 'members to add or change'),
    remove: textFlag('list', 'numbers of members to remove'),
  },
  operands: {},
  examples: ['reconfig -add server.4=zk4:2888:3888;2181', 'reconfig -remove 2'],
  async run({ client, signal, style }, { s, v, file, members, add, remove }) {
    const isWhole = file !== undefined || members !== undefined;
    const isPart = add !== undefined || remove !== undefined;
    if (isWhole === isPart || (file !== undefined && members !== undefined)) {
      throw new UsageError('either -file, or -members, or -add and -remove', this.usage);
    }
    if (v !== undefined && !/^(0x)?[0-9a-f]{1,16}$/i.test(v))
      throw new UsageError(`a version is hexadecimal, not ${v}`);
    const all = file === undefined ? members : await serverLines(file);
    const { data, stat } = await client.reconfig({
      ...(all === undefined ? {} : { members: [all] }),
      ...(add === undefined ? {} : { joining: [add] }),
      ...(remove === undefined ? {} : { leaving: [remove] }),
      ...(v === undefined ? {} : { fromConfig: BigInt(`0x${v.replace(/^0x/i, '')}`) }),
      signal,
    });
    const text = dataText(data);
    return {
      lines: ['Committed new configuration:', style.content(text), ...(s ? statLines(stat) : [])],
      json: { config: text, ...(s ? { stat: statJson(stat) } : {}) },
    };
  },
});

/** Those of a zoo.cfg or a dynamic configuration file, as one list. */
async function serverLines(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).match(/^server\.\d+=.*$/gm);
  if (lines === null)
    throw new HintedError(`there is no server line in ${file}`, 'lines like server.1=zk1:2888:3888;2181');
  return lines.map((line) => line.trim()).join(',');
}
