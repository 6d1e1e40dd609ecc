// Logging in by SASL (operation 102): the client's first token says by which mechanism. An empty one begins DIGEST-MD5, as
// ZooKeeper's clients do; one that begins like a message of SCRAM begins that.

import { randomBytes } from 'node:crypto';
import type { SaslExchange } from '../../core/io.js';
import { SUPERUSER } from '../auth.js';
import type { ServerConfig } from '../config/index.js';
import type { Logger } from '../logging.js';
import { digestMd5Exchange } from './digest-md5.js';
import type { MechanismContext } from './mechanism.js';
import { beginsScram, scramExchange } from './scram.js';
import { SaslUsers } from './users.js';

const NONCE_BYTES = 24;
const SECRET_BYTES = 32;

export interface Sasl {
  readonly begin: () => SaslExchange;
  close(): void;
}

/** Null when no file with users is configured. Throws ConfigError when one cannot be used. */
export function openSasl(config: ServerConfig, logger: Logger): Sasl | null {
  if (config.saslCredentialsPath === undefined && config.jaasConfigPath === undefined) return null;
  const users = new SaslUsers(config, logger);
  const begin = saslLogins((user) => users.find(user), config.saslSuperUsers);
  return { begin, close: () => users.close() };
}

/** Begins logins; who is one of `superUsers` gains `super` as well (superUser). */
export function saslLogins(
  findUser: MechanismContext['findUser'],
  superUsers: readonly string[] = [],
): () => SaslExchange {
  const serverSecret = randomBytes(SECRET_BYTES);
  return () => {
    let exchange: SaslExchange | null = null;
    return (token) => {
      exchange ??= mechanismFor(Buffer.from(token))({
        findUser,
        nonce: randomBytes(NONCE_BYTES).toString('base64'),
        serverSecret,
      });
      const step = exchange(token);
      const isSuper = step?.identities?.some(({ id }) => superUsers.includes(id)) === true;
      return step === null || !isSuper ? step : { ...step, identities: [SUPERUSER, ...(step.identities ?? [])] };
    };
  };
}

function mechanismFor(firstToken: Buffer): (context: MechanismContext) => SaslExchange {
  return beginsScram(firstToken) ? scramExchange : digestMd5Exchange;
}
