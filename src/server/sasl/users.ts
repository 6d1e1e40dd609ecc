// Who may log in by SASL: the users of the credentials file (verifiers.ts) and of the JAAS file (jaas.ts). Both are read
// again when they change, so that a user comes or goes without a restart; a file that cannot be used is told in the log,
// and the users stay as they were. Who has logged in stays so until he disconnects.

import { readFileSync, statSync } from 'node:fs';
import { ConfigError, type ServerConfig } from '../config/index.js';
import { FileWatch } from '../file-watch.js';
import type { Logger } from '../logging.js';
import { parseJaasUsers } from './jaas.js';
import { digestMd5Verifier, parseCredentialLine, scramVerifier, type Verifiers } from './verifiers.js';

export type SaslFiles = Pick<ServerConfig, 'saslCredentialsPath' | 'jaasConfigPath' | 'jaasSection'>;

const OTHERS = 0o077;

export class SaslUsers {
  private readonly files: SaslFiles;
  private readonly logger: Logger;
  private readonly watch: FileWatch;
  private verifiers = new Map<string, Verifiers>();

  /** Reads the files. Throws ConfigError when one is missing or cannot be used. */
  constructor(files: SaslFiles, logger: Logger) {
    this.files = files;
    this.logger = logger;
    const { saslCredentialsPath, jaasConfigPath } = files;
    const watched = [saslCredentialsPath, jaasConfigPath].filter((file) => file !== undefined);
    this.watch = new FileWatch(watched, () => this.reload());
    try {
      this.verifiers = this.read();
    } catch (error) {
      this.watch.close();
      throw error;
    }
    logger.info(`SASL: ${this.verifiers.size} users may log in`);
  }

  find(user: string): Verifiers | undefined {
    return this.verifiers.get(user);
  }

  close(): void {
    this.watch.close();
  }

  private reload(): void {
    try {
      this.verifiers = this.read();
      this.logger.info(`SASL: the users were read again, ${this.verifiers.size} may log in`);
    } catch (error) {
      this.logger.error(`SASL: changed files are not used, the users stay as they were: ${(error as Error).message}`);
    }
  }

  /** Of a user who is in both files, the credentials file counts. */
  private read(): Map<string, Verifiers> {
    const { saslCredentialsPath, jaasConfigPath, jaasSection } = this.files;
    const found = new Map<string, Verifiers>();
    if (jaasConfigPath !== undefined) {
      const text = this.textOf(jaasConfigPath, 'java.security.auth.login.config');
      const users = parseJaasUsers({ file: jaasConfigPath, text, section: jaasSection });
      for (const [user, password] of users) found.set(user, fromPassword(user, password));
    }
    if (saslCredentialsPath === undefined) return found;
    for (const [user, verifiers] of parseCredentials(
      saslCredentialsPath,
      this.textOf(saslCredentialsPath, 'sasl.credentialsPath'),
    )) {
      found.set(user, verifiers);
    }
    return found;
  }

  private textOf(file: string, key: string): string {
    try {
      if ((statSync(file).mode & OTHERS) !== 0) {
        this.logger.warn(`${key}: ${file} can be read by other users of this machine; chmod 600 ${file}`);
      }
      return readFileSync(file, 'utf8');
    } catch (error) {
      const problem = `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`;
      throw new ConfigError({ key, problem, remedy: 'check the path and who may read it' });
    }
  }
}

/** The work of SCRAM is done when it is first asked for: a file may have a thousand users. */
function fromPassword(user: string, password: string): Verifiers {
  let scram: Verifiers['scram'];
  return {
    get scram() {
      scram ??= scramVerifier(password);
      return scram;
    },
    digestMd5: digestMd5Verifier(user, password),
  };
}

/** Blank lines and those that begin with # are skipped. Throws ConfigError with the number of the line that is wrong. */
function parseCredentials(file: string, text: string): Map<string, Verifiers> {
  const found = new Map<string, Verifiers>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const parsed = parseCredentialLine(line);
    if (typeof parsed === 'string') {
      const problem = `line ${index + 1} of ${file} ${parsed}`;
      throw new ConfigError({
        key: 'sasl.credentialsPath',
        problem,
        remedy: 'make lines with: zabra credential <user>',
      });
    }
    found.set(parsed.user, { ...found.get(parsed.user), ...parsed.verifiers });
  });
  return found;
}
