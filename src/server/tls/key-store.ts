// A file with keys and certificates, whatever its kind: PEM or PKCS12. Everything that can be wrong with such a file is
// said by the name of the option and of the file.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config/index.js';
import { DerError } from './der.js';
import { type KeyStoreContents, Pkcs12Error, readPkcs12, WrongPasswordError } from './pkcs12.js';
import type { StoreSettings } from './settings.js';

const SUFFIXES: readonly (readonly [pattern: RegExp, type: 'PEM' | 'PKCS12'])[] = [
  [/\.(?:pem|crt|cer|key)$/i, 'PEM'],
  [/\.(?:p12|pfx|pkcs12)$/i, 'PKCS12'],
];
const JKS_MAGIC = 0xfeedfeed;
const CERTIFICATES =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const PRIVATE_KEYS = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/g;

/** What the store holds. Throws ConfigError when the file is missing, of a kind not offered, locked or damaged. */
export function readKeyStore(store: StoreSettings): KeyStoreContents {
  const { option, location } = store;
  if (location === undefined) {
    throw new ConfigError({ key: `${option}.location`, problem: 'is not set', remedy: 'name a PEM or PKCS12 file' });
  }
  const bytes = readStoreFile(`${option}.location`, location);
  const type = storeType(store, location, bytes);
  const password = storePassword(store);
  try {
    return type === 'PEM' ? readPem(bytes.toString('utf8'), password) : readPkcs12(bytes, password ?? '');
  } catch (error) {
    throw unreadable(store, location, error as Error);
  }
}

function readStoreFile(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${message}`;
    throw new ConfigError({ key, problem, remedy: 'check the path and the permissions' });
  }
}

function storePassword({ option, password, passwordPath }: StoreSettings): string | undefined {
  if (passwordPath === undefined) return password;
  return readStoreFile(`${option}.passwordPath`, passwordPath)
    .toString('utf8')
    .replace(/[\r\n]+$/, '');
}

/** keytool has long written PKCS12 into files called .jks, so of those the contents decide. */
function storeType({ option, type }: StoreSettings, file: string, bytes: Buffer): 'PEM' | 'PKCS12' {
  if (type === 'PEM' || type === 'PKCS12') return type;
  if (type === 'BCFKS' || (bytes.length >= 4 && bytes.readUInt32BE(0) === JKS_MAGIC)) {
    throw new ConfigError({
      key: `${option}.location`,
      problem: `${file} is a key store of type ${type === 'BCFKS' ? type : 'JKS'}, which only Java can read`,
      remedy: conversion(option, file, 'p12'),
    });
  }
  const bySuffix = type === 'auto' ? SUFFIXES.find(([pattern]) => pattern.test(file))?.[1] : undefined;
  return bySuffix ?? (bytes.includes('-----BEGIN ') ? 'PEM' : 'PKCS12');
}

function readPem(text: string, password: string | undefined): KeyStoreContents {
  const certificates = (text.match(CERTIFICATES) ?? []).map((block) => new X509Certificate(block));
  const keys = (text.match(PRIVATE_KEYS) ?? []).map((block) => {
    try {
      return createPrivateKey({ key: block, passphrase: password ?? '' });
    } catch {
      const isLocked = /ENCRYPTED/.test(block);
      if (isLocked) throw new WrongPasswordError('has a private key that does not open with this password');
      throw new DerError('has a private key that cannot be read');
    }
  });
  return { keys, certificates };
}

function unreadable({ option, password, passwordPath }: StoreSettings, file: string, error: Error): ConfigError {
  if (error instanceof WrongPasswordError) {
    const isGiven = password !== undefined || passwordPath !== undefined;
    return new ConfigError({
      key: passwordPath === undefined ? `${option}.password` : `${option}.passwordPath`,
      problem: `${file} ${isGiven ? error.message : 'is locked by a password, and none is set'}`,
      remedy: 'set the password it was made with',
    });
  }
  if (error instanceof Pkcs12Error) {
    const remedy = conversion(option, file, 'new.p12');
    return new ConfigError({ key: `${option}.location`, problem: `${file} ${error.message}`, remedy });
  }
  return new ConfigError({
    key: `${option}.location`,
    problem: `${file} ${error instanceof DerError ? error.message : `is damaged: ${error.message}`}`,
    remedy: `check the file; ${option}.type=PEM or PKCS12 says what it is when its name does not`,
  });
}

function conversion(option: string, file: string, suffix: string): string {
  const target = `${file.replace(/\.\w+$/, '')}.${suffix}`;
  const command = `keytool -importkeystore -srckeystore ${file} -destkeystore ${target} -deststoretype PKCS12`;
  return `convert it by a Java of today: ${command}, and set ${option}.location to the new file`;
}
