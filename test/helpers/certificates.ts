/**
 * Certificates for tests, made by the program openssl: an authority, and whom it signs for. Everything is a file in a
 * directory of the caller's.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why no certificate can be made on this machine; undefined when it can. */
export function whyNoOpenSsl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no openssl: the program is not installed';
  }
}

/** Runs openssl; what it prints is part of the error when it fails. */
export function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8', '-multivalue-rdn'];

export interface IssueOptions {
  /** As openssl takes it: `/O=Example/CN=alice`. */
  readonly subject: string;
  readonly days?: number;
  /** Names and addresses it is for, as openssl takes them. Default: 127.0.0.1 and localhost. */
  readonly names?: string;
}

export class Authority {
  /** PEM. */
  readonly certificate: string;
  private readonly key: string;

  constructor(
    private readonly directory: string,
    readonly name: string,
  ) {
    this.certificate = join(directory, `${name}.crt`);
    this.key = join(directory, `${name}.key`);
    const subject = ['-subj', `/O=Example/CN=${name}`, '-days', '30'];
    openssl('req', '-x509', ...NEW_KEY, ...subject, '-keyout', this.key, '-out', this.certificate);
  }

  /** Returns the file with key and certificate, PEM; `<file>.key` and `<file>.crt` have one each. */
  issue(name: string, { subject, days = 30, names = 'IP:127.0.0.1,DNS:localhost' }: IssueOptions): string {
    const file = join(this.directory, `${name}.pem`);
    const [key, certificate, request, extensions] = ['key', 'crt', 'csr', 'ext'].map((each) => `${file}.${each}`);
    writeFileSync(extensions!, `subjectAltName=${names}\n`);
    openssl('req', '-new', ...NEW_KEY, '-subj', subject, '-keyout', key!, '-out', request!);
    const signer = ['-CA', this.certificate, '-CAkey', this.key, '-CAcreateserial', '-days', String(days)];
    openssl('x509', '-req', '-in', request!, ...signer, '-extfile', extensions!, '-out', certificate!);
    writeFileSync(file, readFileSync(key!, 'utf8') + readFileSync(certificate!, 'utf8'));
    return file;
  }
}
