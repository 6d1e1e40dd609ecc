import { WAL_PAGES_LEAST, WAL_PAGES_MOST, WalCopies } from '../../../../src/server/storage/wal-copies.js';

const middle = () => 0.5;

/** Writes until a copy is due, which then takes `msPerPage` for each page; returns the pages of the last one. */
function pagesAtLast(copies: WalCopies, count: number, msPerPage: number, syncMs: number): number {
  let pages = 0;
  for (let i = 0; i < count; i++) {
    while (!copies.isDue(false)) copies.pages++;
    pages = copies.pages;
    copies.copied(pages * msPerPage, syncMs);
  }
  return pages;
}

test('a fast disk is given large copies, a slow one small ones', () => {
  const copies = new WalCopies(middle);
  expect(pagesAtLast(copies, 20, 0.001, 0.1)).toBe(WAL_PAGES_MOST);
  expect(pagesAtLast(copies, 20, 0.1, 0.1)).toBe(WAL_PAGES_LEAST);
});

test('a copy comes to take what it should, and the fsyncs of a slow disk are allowed for', () => {
  const quick = pagesAtLast(new WalCopies(middle), 30, 0.02, 0);
  const withSlowSync = pagesAtLast(new WalCopies(middle), 30, 0.02, 2);

  expect(quick).toBe(250);
  expect(withSlowSync).toBe(450);
});

test('in an idle moment less is enough', () => {
  const copies = new WalCopies(middle);
  pagesAtLast(copies, 20, 0.001, 0.1);
  copies.pages = WAL_PAGES_LEAST;

  expect(copies.isDue(false)).toBe(false);
  expect(copies.isDue(true)).toBe(true);
});

test('servers do not copy in step', () => {
  const draws = [0, 0.999];
  const [early, late] = draws.map((draw) => pagesAtLast(new WalCopies(() => draw), 20, 0.001, 0.1));

  expect(early).toBeLessThan(late);
});
