import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../../src/server/config/index.js';
import type { Logger } from '../../../../src/server/logging.js';
import type { TlsMaterial } from '../../../../src/server/tls/material.js';
import { MaterialSource } from '../../../../src/server/tls/material-source.js';
import { clientTlsSettings } from '../../../../src/server/tls/settings.js';
import { Authority, whyNoOpenSsl } from '../../../helpers/certificates.js';
import { removeDirectory, temporaryDirectory, waitFor } from '../../../helpers/processes.js';

const noOpenSsl = whyNoOpenSsl();

(noOpenSsl === undefined ? describe : describe.skip)(`a source${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-source');
  const keyStore = join(directory, 'current.pem');
  const authority = noOpenSsl === undefined ? new Authority(directory, 'ca') : undefined;
  afterAll(() => removeDirectory(directory));

  function open(lines: string[], reload?: boolean): MaterialSource {
    const log = (message: string) => lines.push(message);
    const logger: Logger = { debug: log, info: log, warn: (text) => log(`warn: ${text}`), error: log };
    const D = [`zookeeper.ssl.keyStore.location=${keyStore}`, 'zookeeper.ssl.clientAuth=none'];
    const settings = clientTlsSettings(loadConfig({ flags: { D }, env: {} }).config);
    return new MaterialSource(settings, logger, reload === undefined ? {} : { reload });
  }

  test('reads changed files again, and keeps the old ones when the new are no good', async () => {
    const first = authority!.issue('first', { subject: '/CN=first' });
    const second = authority!.issue('second', { subject: '/CN=second', days: 3 });
    copyFileSync(first, keyStore);
    const lines: string[] = [];
    const changes: TlsMaterial[] = [];
    const source = open(lines);
    source.onChange((material) => changes.push(material));
    const before = source.material;
    const told = (text: string) =>
      waitFor(
        () => lines.find((line) => line.includes(text)),
        10_000,
        () => `not told: ${text}; but ${lines.join('\n')}`,
      );
    try {
      await told('uses the certificate of CN=first');
      writeFileSync(keyStore, 'half a file');
      await told('the old ones stay');
      expect([source.material, changes]).toEqual([before, []]);
      copyFileSync(second, keyStore);
      // Three days are not long.
      expect(await told('CN=second')).toMatch(/^warn: .*is good until/);
      expect(changes).toEqual([source.material]);
      expect(source.material.cert).not.toBe(before.cert);
    } finally {
      source.close();
    }
  }, 30_000);

  test('what cannot be used at the start is not started with', () => {
    writeFileSync(keyStore, 'half a file');
    expect(() => open([])).toThrow(/ssl\.keyStore\.location/);
  });
});
