import { defineCommand, flag, numberFlag, operand, optionalOperand } from '../command.js';
import { UsageError } from '../errors.js';
import { parseAcl, statJson } from '../format.js';

export const create = defineCommand({
  name: 'create',
  summary: 'Creates a node.',
  flags: {
    s: flag('sequential: a number is added to the name'),
    e: flag('ephemeral: it goes with this session'),
    c: flag('container: it goes when its last child has gone'),
    t: numberFlag('ttl', 'it goes when unchanged and childless for so many milliseconds', 1),
  },
  operands: {
    path: operand('the new node; its parent must exist'),
    data: optionalOperand('its content'),
    acl: optionalOperand('scheme:id:perms[,…]; world:anyone:cdrwa by default'),
  },
  examples: ['create /config on', 'create -s -e /queue/job- payload', 'create -t 60000 /lease x auth::cdrwa'],
  async run({ client, signal }, { s, e, c, t }, { path, data, acl }) {
    if (c && (s || e)) {
      throw new UsageError('-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.');
    }
    if (t !== undefined && (e || c)) {
      throw new UsageError(`TTLs cannot be used with ${e ? 'Ephemeral' : 'Container'} znodes`);
    }
    const options = {
      sequential: s,
      ephemeral: e,
      container: c,
      ttlMs: t,
      acl: acl === undefined ? acl : parseAcl(acl),
    };
    const created = await client.create(path, data ?? null, { ...options, signal });
    return {
      lines: [`Created ${created.path}`],
      quietLines: [created.path],
      json: { path: created.path, stat: statJson(created.stat) },
    };
  },
});
