/**
 * A second, independent reading of Jute for tests: types as data, values as plain JavaScript. It shares nothing with
 * the product's codec, so that one checks the other. Speed does not matter here; clarity does.
 *
 * int → number, long → bigint, bool → boolean, string and buffer → string and Uint8Array or null, vector → array or
 * null, record → object. A reader returns exactly what is on the wire and never repairs it.
 */

export type Value = null | number | bigint | boolean | string | Uint8Array | readonly Value[] | Fields;
export interface Fields {
  readonly [field: string]: Value;
}

export type JuteType = 'int' | 'long' | 'bool' | 'string' | 'buffer' | { readonly vector: JuteType } | RecordType;
export interface RecordType {
  readonly fields: ReadonlyArray<readonly [name: string, type: JuteType]>;
}

/** record({ path: 'string', … }): the fields in wire order. */
export function record(fields: Readonly<Record<string, JuteType>>): RecordType {
  return { fields: Object.entries(fields) };
}

export class JuteWriter {
  private readonly parts: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value | 0);
    this.parts.push(bytes);
    return this;
  }

  long(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt.asIntN(64, value));
    this.parts.push(bytes);
    return this;
  }

  bool(value: boolean): this {
    this.parts.push(Buffer.from([value ? 1 : 0]));
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(Buffer.from(bytes));
    return this;
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    return this.int(value.length).raw(value);
  }

  string(value: string | null): this {
    return this.buffer(value === null ? null : Buffer.from(value, 'utf8'));
  }

  value(type: JuteType, value: Value): this {
    if (type === 'int') return this.int(Number(value));
    if (type === 'long') return this.long(BigInt(value as bigint));
    if (type === 'bool') return this.bool(Boolean(value));
    if (type === 'string') return this.string(value as string | null);
    if (type === 'buffer') return this.buffer(value as Uint8Array | null);
    if ('vector' in type) {
      if (value === null) return this.int(-1);
      const items = value as readonly Value[];
      this.int(items.length);
      for (const item of items) this.value(type.vector, item);
      return this;
    }
    for (const [name, fieldType] of type.fields) this.value(fieldType, (value as Fields)[name]);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

export class JuteReader {
  private offset = 0;
  private readonly view: Buffer;

  constructor(bytes: Uint8Array) {
    this.view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.view.length - this.offset;
  }

  int(): number {
    const value = this.view.readInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  long(): bigint {
    const value = this.view.readBigInt64BE(this.offset);
    this.offset += 8;
    return value;
  }

  bool(): boolean {
    return this.view.readInt8(this.offset++) !== 0;
  }

  buffer(): Uint8Array | null {
    const length = this.int();
    if (length === -1) return null;
    if (length < 0 || length > this.left) throw new Error(`a buffer of ${length} bytes with ${this.left} left`);
    const value = new Uint8Array(this.view.subarray(this.offset, this.offset + length));
    this.offset += length;
    return value;
  }

  string(): string | null {
    const bytes = this.buffer();
    return bytes === null ? null : Buffer.from(bytes).toString('utf8');
  }

  value(type: JuteType): Value {
    if (type === 'int') return this.int();
    if (type === 'long') return this.long();
    if (type === 'bool') return this.bool();
    if (type === 'string') return this.string();
    if (type === 'buffer') return this.buffer();
    if ('vector' in type) {
      const length = this.int();
      return length === -1 ? null : Array.from({ length }, () => this.value(type.vector));
    }
    return this.record(type);
  }

  record(type: RecordType): Fields {
    return Object.fromEntries(type.fields.map(([name, fieldType]) => [name, this.value(fieldType)]));
  }
}

/** The value as JSON: a long becomes a decimal string, a buffer becomes lower-case hex. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(toJson);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJson(field)]));
  }
  return value;
}
