// A limit on how fast connections may come (connectionMaxTokens): a burst of so many, then as many as are filled in. It
// protects a server whose clients all come back at once. Time is given by the caller.

export interface TokenBucketOptions {
  /** Largest burst; 0: no limit. */
  readonly tokensMax: number;
  /** So many tokens are added … */
  readonly fillCount: number;
  /** … each time so many ms have passed. */
  readonly fillMs: number;
}

export class TokenBucket {
  private readonly options: TokenBucketOptions;
  private tokens: number;
  private filledMs: number;

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.options = options;
    this.tokens = options.tokensMax;
    this.filledMs = nowMs;
  }

  /** Takes a token; false when there is none. */
  take(nowMs: number): boolean {
    const { tokensMax, fillCount, fillMs } = this.options;
    if (tokensMax === 0) return true;
    const fills = Math.floor((nowMs - this.filledMs) / fillMs);
    if (fills > 0) {
      this.tokens = Math.min(tokensMax, this.tokens + fills * fillCount);
      this.filledMs += fills * fillMs;
    }
    if (this.tokens === 0) return false;
    this.tokens--;
    return true;
  }
}
