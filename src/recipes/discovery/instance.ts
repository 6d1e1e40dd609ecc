// An instance of a service, and how it is written down: in Curator's JSON, so that its tools and clients can read ours and
// we theirs. Health is Curator's `enabled`; metadata and load are its `payload`.

/** Anything that turns what was read into a T, or throws: a schema of zod, valibot or typebox, or a function of your own. */
export interface Schema<T> {
  parse(input: unknown): T;
}

export type Health = 'up' | 'down';

export interface ServiceInstance<M = unknown> {
  readonly name: string;
  readonly id: string;
  /** A host name or an IP address. */
  readonly address: string;
  readonly port: number | null;
  /** The port for TLS, where there is one. */
  readonly sslPort: number | null;
  readonly metadata: M;
  /** One that is down is registered and not picked. */
  readonly health: Health;
  /** As the instance reports it, in a measure that all instances of the service share; 0 when it does not. */
  readonly load: number;
}

export function encodeInstance(instance: ServiceInstance): string {
  const { name, id, address, port, sslPort, metadata, health, load } = instance;
  const payload = { metadata, load };
  return JSON.stringify({
    ...{ name, id, address, port, sslPort, payload },
    ...{ serviceType: 'DYNAMIC', uriSpec: null, enabled: health === 'up' },
  });
}

/** Throws an Error that says what is wrong. A payload that is not ours is taken for the metadata. */
export function decodeInstance<M>(data: Buffer | null, schema: Schema<M> | undefined): ServiceInstance<M> {
  const read: unknown = JSON.parse(data?.toString() ?? '');
  if (typeof read !== 'object' || read === null) throw new Error('the node does not hold an object');
  const fields = new Map<string, unknown>(Object.entries(read));
  const text = (field: string): string => {
    const value = fields.get(field);
    if (typeof value === 'string') return value;
    throw new Error(`${field} is ${JSON.stringify(value)}, not a text`);
  };
  const port = (field: string): number | null => {
    const value = fields.get(field) ?? null;
    if (value === null || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw new Error(`${field} is ${JSON.stringify(value)}, not a port`);
  };
  const payload = fields.get('payload');
  const isOurs = typeof payload === 'object' && payload !== null && 'metadata' in payload && 'load' in payload;
  const metadata = isOurs ? payload.metadata : payload;
  return {
    ...{ name: text('name'), id: text('id'), address: text('address') },
    ...{ port: port('port'), sslPort: port('sslPort') },
    metadata: schema === undefined ? (metadata as M) : schema.parse(metadata),
    health: fields.get('enabled') === false ? 'down' : 'up',
    load: isOurs ? Number(payload.load) : 0,
  };
}
