import { defineCommand, optionalOperand } from '../command.js';

export const connect = defineCommand({
  name: 'connect',
  summary: 'Begins a new session, with another server or the same.',
  flags: {},
  operands: { 'host:port': optionalOperand('host:port[,…][/chroot]; the one before by default') },
  examples: ['connect 10.0.0.7:2181', 'connect zk1:2181,zk2:2181/app'],
  async run({ session, signal }, _, operands) {
    await session.open(operands['host:port']);
    await session.client.connected({ signal });
    return { lines: [], json: { server: session.server } };
  },
});
