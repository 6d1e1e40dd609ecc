// The names and values of all znodes, millions of them, without one garbage-collected object each.
//
// A block belongs to a size class: steps of 16 bytes up to 256, then four classes to the doubling, so that rounding
// wastes little. Each page (1 MiB; the first of a class are smaller, so that an empty tree is cheap) serves one class:
// blocks are cut off its end, freed blocks are chained through their first four bytes, and a page without live blocks
// goes back. Pages with room form a list per class. A block above the largest class has a page of its own, as long as
// it needs, given back at once. A block reference packs page and offset (in units of 16 bytes) into an int32; 0 is the
// empty block.

import { assert } from '../../std/assert.js';

const UNIT_BITS = 4;
const OFFSET_BITS = 16;
const OFFSET_MASK = (1 << OFFSET_BITS) - 1;
const PAGE_BYTES_MAX = 1 << (UNIT_BITS + OFFSET_BITS);
const PAGE_BYTES_FIRST = 1 << 14;
const PAGES_MAX = 1 << 16;
const FINE_BYTES_MAX = 256;
/** Largest block that shares its page. */
export const SHARED_BLOCK_BYTES_MAX = 1 << 18;
const CLASSES = 56;
const OWN_PAGE = -1;
const NO_PAGE = 0;

/** 0 for none, else page << 16 | unit, as an int32. */
export type BlockRef = number;

class Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly sizeClass: number;
  readonly blockBytes: number;
  /** Offset behind the last block ever cut off. */
  cutBytes = 0;
  /** Offset + 1 of the first freed block, 0 for none. */
  freeHead = 0;
  liveBlocks = 0;
  /** Neighbours in the list of pages with room; both NO_PAGE also when the page is full. */
  previous = NO_PAGE;
  next = NO_PAGE;

  constructor(pageBytes: number, sizeClass: number, blockBytes: number) {
    this.bytes = new Uint8Array(pageBytes);
    this.view = new DataView(this.bytes.buffer);
    this.sizeClass = sizeClass;
    this.blockBytes = blockBytes;
  }

  get isFull(): boolean {
    return this.freeHead === 0 && this.cutBytes + this.blockBytes > this.bytes.length;
  }

  cut(): number {
    this.liveBlocks++;
    if (this.freeHead !== 0) {
      const offset = this.freeHead - 1;
      this.freeHead = this.view.getInt32(offset);
      return offset;
    }
    const offset = this.cutBytes;
    this.cutBytes += this.blockBytes;
    return offset;
  }

  giveBack(offset: number): void {
    this.liveBlocks--;
    this.view.setInt32(offset, this.freeHead);
    this.freeHead = offset + 1;
  }
}

export class Slab {
  /** Page 0 is the empty page that the empty block lies on. A hole is a page number to be used again. */
  private pages: (Page | undefined)[] = [];
  private freePageNumbers: number[] = [];
  private readonly pagesWithRoom = new Int32Array(CLASSES);
  private readonly pagesOfClass = new Int32Array(CLASSES);
  private totalBytes = 0;

  constructor() {
    this.clear();
  }

  clear(): void {
    this.pages = [new Page(0, OWN_PAGE, 0)];
    this.freePageNumbers = [];
    this.pagesWithRoom.fill(NO_PAGE);
    this.pagesOfClass.fill(0);
    this.totalBytes = 0;
  }

  /** Bytes held from the machine, used or not. */
  get memoryBytes(): number {
    return this.totalBytes;
  }

  /** The page a block lies on; its bytes begin at offsetOf(ref). Good until the block is released. */
  bytesOf(ref: BlockRef): Uint8Array {
    return (this.pages[ref >>> OFFSET_BITS] as Page).bytes;
  }

  offsetOf(ref: BlockRef): number {
    return (ref & OFFSET_MASK) << UNIT_BITS;
  }

  /** True when a block of `lengthBytes` would be of the same size as this one, so that it may be written over. */
  fits(ref: BlockRef, lengthBytes: number): boolean {
    const page = this.pages[ref >>> OFFSET_BITS] as Page;
    if (page.sizeClass !== OWN_PAGE) {
      return lengthBytes > 0 && lengthBytes <= page.blockBytes && sizeClassOf(lengthBytes) === page.sizeClass;
    }
    const fillsHalf = lengthBytes * 2 > page.blockBytes;
    return lengthBytes <= page.blockBytes && fillsHalf && lengthBytes > SHARED_BLOCK_BYTES_MAX;
  }

  /** A block of at least `lengthBytes` bytes, whatever stood in it before; the empty block for 0. */
  allocate(lengthBytes: number): BlockRef {
    if (lengthBytes === 0) return 0;
    if (lengthBytes > SHARED_BLOCK_BYTES_MAX) {
      const pageBytes = (lengthBytes + 15) & ~15;
      const page = new Page(pageBytes, OWN_PAGE, pageBytes);
      page.cut();
      return this.addPage(page) << OFFSET_BITS;
    }
    const sizeClass = sizeClassOf(lengthBytes);
    let number = this.pagesWithRoom[sizeClass];
    if (number === NO_PAGE) {
      number = this.addSharedPage(sizeClass);
      this.pagesWithRoom[sizeClass] = number;
    }
    const page = this.pages[number] as Page;
    const offset = page.cut();
    if (page.isFull) this.unlink(number, page);
    return (number << OFFSET_BITS) | (offset >>> UNIT_BITS);
  }

  release(ref: BlockRef): void {
    if (ref === 0) return;
    const number = ref >>> OFFSET_BITS;
    const page = this.pages[number] as Page;
    if (page.sizeClass === OWN_PAGE) {
      this.dropPage(number, page);
      return;
    }
    const wasFull = page.isFull;
    page.giveBack(this.offsetOf(ref));
    if (wasFull) this.link(number, page);
    // The last page with room stays even when empty, so that a lone create and delete do not allocate a page each.
    const othersHaveRoom = page.previous !== NO_PAGE || page.next !== NO_PAGE;
    if (page.liveBlocks === 0 && othersHaveRoom) {
      this.unlink(number, page);
      this.pagesOfClass[page.sizeClass]--;
      this.dropPage(number, page);
    }
  }

  private addSharedPage(sizeClass: number): number {
    const blockBytes = blockBytesOf(sizeClass);
    const grown = Math.min(PAGE_BYTES_MAX, PAGE_BYTES_FIRST << (2 * Math.min(3, this.pagesOfClass[sizeClass])));
    this.pagesOfClass[sizeClass]++;
    return this.addPage(new Page(Math.max(blockBytes, grown), sizeClass, blockBytes));
  }

  private addPage(page: Page): number {
    const number = this.freePageNumbers.pop() ?? this.pages.length;
    assert(number < PAGES_MAX, 'the slab has no page numbers left');
    this.pages[number] = page;
    this.totalBytes += page.bytes.length;
    return number;
  }

  private dropPage(number: number, page: Page): void {
    this.pages[number] = undefined;
    this.freePageNumbers.push(number);
    this.totalBytes -= page.bytes.length;
  }

  private link(number: number, page: Page): void {
    const head = this.pagesWithRoom[page.sizeClass];
    page.next = head;
    page.previous = NO_PAGE;
    if (head !== NO_PAGE) (this.pages[head] as Page).previous = number;
    this.pagesWithRoom[page.sizeClass] = number;
  }

  private unlink(number: number, page: Page): void {
    if (page.next !== NO_PAGE) (this.pages[page.next] as Page).previous = page.previous;
    if (page.previous !== NO_PAGE) (this.pages[page.previous] as Page).next = page.next;
    else if (this.pagesWithRoom[page.sizeClass] === number) this.pagesWithRoom[page.sizeClass] = page.next;
    page.next = NO_PAGE;
    page.previous = NO_PAGE;
  }
}

/** Class of the smallest shared block that holds `lengthBytes`, which is 1 to SHARED_BLOCK_BYTES_MAX. */
export function sizeClassOf(lengthBytes: number): number {
  if (lengthBytes <= FINE_BYTES_MAX) return (lengthBytes - 1) >> UNIT_BITS;
  const bits = 31 - Math.clz32(lengthBytes - 1);
  const quarter = ((lengthBytes - 1) >> (bits - 2)) & 3;
  return 16 + (bits - 8) * 4 + quarter;
}

export function blockBytesOf(sizeClass: number): number {
  if (sizeClass < 16) return (sizeClass + 1) << UNIT_BITS;
  const bits = 8 + ((sizeClass - 16) >> 2);
  const quarter = (sizeClass - 16) & 3;
  return (1 << bits) + ((quarter + 1) << (bits - 2));
}
