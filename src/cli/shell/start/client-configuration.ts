// `-client-configuration FILE`: the properties of ZooKeeper's Java client, as far as they are about TLS. Stores are PEM,
// or PKCS12 for the client's own key; Java's own format is refused with the command that converts it.

import type { ClientTlsOptions } from '../../../client/index.js';
import { UsageError } from '../errors.js';
import { readMaterial } from './material.js';

const PREFIX = 'zookeeper.';
const READ = [
  'client.secure',
  'ssl.keyStore.location',
  'ssl.keyStore.password',
  'ssl.keyStore.passwordPath',
  'ssl.trustStore.location',
] as const;
/** Known, and nothing to do: there is one kind of socket here, types are told by content, PEM needs no password. */
const WITHOUT_EFFECT = new Set([
  'clientCnxnSocket',
  'ssl.keyStore.type',
  'ssl.trustStore.type',
  'ssl.trustStore.password',
  'ssl.trustStore.passwordPath',
]);

/** Undefined where the file does not ask for TLS. Throws UsageError, also for a property that would be passed over. */
export function readClientConfiguration(file: string): ClientTlsOptions | undefined {
  const properties = new Map<string, string>();
  for (const [, name, value] of readMaterial('-client-configuration', file)
    .toString('utf8')
    .matchAll(/^[ \t]*([^#!\s=:][^\s=:]*)[ \t]*[=:][ \t]*(.*?)[ \t\r]*$/gm)) {
    const short = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
    if (!WITHOUT_EFFECT.has(short) && !READ.some((known) => known === short)) {
      throw new UsageError(
        `${file}: ${name} is not understood here`,
        undefined,
        READ.map((each) => PREFIX + each).join(', '),
      );
    }
    properties.set(short, value);
  }
  const property = (name: (typeof READ)[number]): string | undefined => properties.get(name);
  if (property('client.secure') !== 'true') return undefined;
  const passwordFile = property('ssl.keyStore.passwordPath');
  const passphrase =
    passwordFile === undefined
      ? property('ssl.keyStore.password')
      : readMaterial('ssl.keyStore.passwordPath', passwordFile).toString('utf8').trim();
  const keyStore = readStore('ssl.keyStore.location', property('ssl.keyStore.location'));
  const trustStore = readStore('ssl.trustStore.location', property('ssl.trustStore.location'));
  if (trustStore !== undefined && !isPem(trustStore)) {
    throw new UsageError('ssl.trustStore.location: the authorities to trust have to be a PEM file here');
  }
  return {
    ...(trustStore === undefined ? {} : { ca: trustStore }),
    ...(keyStore === undefined ? {} : isPem(keyStore) ? { cert: keyStore, key: keyStore } : { pfx: keyStore }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

function readStore(name: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  const bytes = readMaterial(name, file);
  if (bytes.subarray(0, 4).toString('hex') === 'feedfeed') {
    const command = `keytool -importkeystore -srckeystore ${file} -destkeystore ${file}.p12 -deststoretype pkcs12`;
    throw new UsageError(`${name}: ${file} is a JKS, which only Java reads`, undefined, command);
  }
  return bytes;
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN ');
}
