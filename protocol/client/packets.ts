// The two packets that have no header, and the optional byte at their end (E2): a client that sends `readOnly` gets it
// back, one that does not must not see it.

import type { JuteReader } from '../jute/reader.js';
import type { Infer } from '../jute/schema.js';
import type { JuteWriter } from '../jute/writer.js';
import { ConnectRequestBody, ConnectResponseBody } from './records.js';

/** `readOnly` is undefined when the byte is absent. */
export type ConnectRequest = Infer<typeof ConnectRequestBody> & { readOnly: boolean | undefined };
export type ConnectResponse = Infer<typeof ConnectResponseBody> & { readOnly: boolean | undefined };

export function readConnectRequest(reader: JuteReader): ConnectRequest {
  return { ...ConnectRequestBody.read(reader), readOnly: optionalBool(reader) };
}

export function writeConnectRequest(writer: JuteWriter, value: ConnectRequest): void {
  ConnectRequestBody.write(writer, value);
  if (value.readOnly !== undefined) writer.bool(value.readOnly);
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  return { ...ConnectResponseBody.read(reader), readOnly: optionalBool(reader) };
}

export function writeConnectResponse(writer: JuteWriter, value: ConnectResponse): void {
  ConnectResponseBody.write(writer, value);
  if (value.readOnly !== undefined) writer.bool(value.readOnly);
}

function optionalBool(reader: JuteReader): boolean | undefined {
  return reader.remaining > 0 ? reader.bool() : undefined;
}
