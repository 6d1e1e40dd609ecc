// A fingerprint of everything that happened in a world, in order: the same seed must give the same one. FNV-1a over
// 32-bit words, twice with different seeds; it is to show differences, not to resist anybody.

const PRIME = 0x0100_0193;

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
    for (let i = 0; i < value.length; i++) this.word(value[i]);
  }

  private word(word: number): void {
    this.low = Math.imul(this.low ^ word, PRIME);
    this.high = Math.imul(this.high ^ (word + 0x5bd1), PRIME);
  }

  /** Sixteen hexadecimal digits. */
  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.high) + hex(this.low);
  }
}
