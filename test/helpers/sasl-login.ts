/** Logs a FrameClient in by SASL, with the client's side of the mechanisms as the unit tests have it. */
import { JuteReader, JuteWriter } from '../interop/wire/jute.js';
import { digestToken, fieldsOf, scramFinal, scramFirst } from '../unit/server/sasl/clients.js';
import type { FrameClient } from './frame-client.js';

export const SASL = 102;

/** Sends one token; the one that came back, or the error. */
export async function saslStep(client: FrameClient, token: string): Promise<string | number | null> {
  const { err, body } = await client.call(SASL, new JuteWriter().buffer(Buffer.from(token)).bytes());
  const answer = new JuteReader(body).buffer();
  if (err !== 0) return err;
  return answer === null ? null : Buffer.from(answer).toString();
}

/** What the server says at the end, or the error. */
export async function logIn(
  client: FrameClient,
  mechanism: 'SCRAM-SHA-256' | 'DIGEST-MD5',
  user: string,
  password: string,
): Promise<string | number | null> {
  const login = { user, password };
  const first = await saslStep(client, mechanism === 'DIGEST-MD5' ? '' : scramFirst(login));
  if (typeof first !== 'string') return first;
  if (mechanism === 'SCRAM-SHA-256') return saslStep(client, scramFinal(login, first).token);
  return saslStep(client, digestToken({ ...login, nonce: fieldsOf(first).nonce ?? '' }));
}
