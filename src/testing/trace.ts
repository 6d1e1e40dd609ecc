// A fingerprint of everything that happened in a world, in order: the same seed must give the same one. FNV-1a over
// 32-bit words, twice with different seeds; it is to show differences, not to resist anybody.

const PRIME = 0x0100_0193;
/** Makes the second hash another one. */
const HIGH_OFFSET = 0x5bd1;
/** Looked up once: in a test runner's context every global costs a search. */
const { imul } = Math;

export class Trace {
  private low = 0x811c_9dc5 | 0;
  private high = 0x9747_b28c | 0;

  /** Notes a number: its integer part and its sixteenth of a thousandth. */
  number(value: number): void {
    const whole = Math.floor(value);
    this.word(whole | 0);
    this.word(Math.floor(whole / 0x1_0000_0000) | 0);
    if (whole !== value) this.word(((value - whole) * 0x100_0000) | 0);
  }

  text(value: string): void {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
  }

  bytes(value: Uint8Array): void {
    this.word(value.length);
    let { low, high } = this;
    for (let i = 0; i < value.length; i++) {
      low = imul(low ^ value[i], PRIME);
      high = imul(high ^ (value[i] + HIGH_OFFSET), PRIME);
    }
    this.low = low;
    this.high = high;
  }

  private word(word: number): void {
    this.low = imul(this.low ^ word, PRIME);
    this.high = imul(this.high ^ (word + HIGH_OFFSET), PRIME);
  }

  /** Sixteen hexadecimal digits. */
  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.high) + hex(this.low);
  }
}
