/** Random histories of checkpoints (finished, abandoned, cut off by a restart, full) against a plain map. */
import fc from 'fast-check';
import type { Page } from '../../../../src/server/storage/index.js';
import { asText, newDirectory, openEngine, removeDirectories, textBytes } from './fixtures.js';

afterAll(removeDirectories);

const writes = fc.dictionary(fc.integer({ min: 0, max: 8 }).map(String), fc.constantFrom('', 'a', 'bb', 'ccc'), {
  maxKeys: 6,
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish' as const), writes, isFull: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abandon' as const), writes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), writes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tidy' as const) }) },
);

test('the pages served are those of the last finished checkpoint', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const directory = newDirectory();
      let engine = openEngine(directory, { sync: false });
      let model: Record<string, string> = {};
      steps.forEach((it, index) => {
        if (it.kind === 'tidy') {
          engine.tidy(8192);
          return;
        }
        while (engine.hasLeftovers) engine.tidy(8192);
        const pages: Page[] = Object.entries(it.writes).map(([page, text]) => ({
          page: Number(page),
          bytes: textBytes(text && `${text} ${index}`),
        }));
        engine.writePages(pages, 0, 1e6);
        if (it.kind === 'finish') {
          engine.finishCheckpoint(index + 1, textBytes(''), it.isFull);
          model = { ...(it.isFull ? {} : model), ...asText(pages) };
          model = Object.fromEntries(Object.entries(model).filter(([, text]) => text !== ''));
        } else if (it.kind === 'abandon') {
          engine.abandonCheckpoint();
        } else {
          engine.close();
          engine = openEngine(directory, { sync: false });
        }
        expect(asText(engine.pages.read(0, 1e6))).toEqual(model);
        expect(engine.checkpoint.pages).toBe(Object.keys(model).length);
      });
      engine.close();
      engine = openEngine(directory, { sync: false });
      expect(asText(engine.pages.read(0, 1e6))).toEqual(model);
      while (engine.tidy(8192));
      expect(asText(engine.pages.read(0, 1e6))).toEqual(model);
      engine.close();
    }),
    { numRuns: 60 },
  );
});
