// Which connections are taken at all: not too many from one address (maxClientCnxns), in total (maxCnxns), or at once
// (connectionMaxTokens). A refusal costs the client its connection and nothing else, and the log a line at most: a host
// that tries again and again must not fill the disk.

import type { RareWarnings } from '../rare-warnings.js';
import { TokenBucket, type TokenBucketOptions } from './token-bucket.js';

export interface AdmissionOptions {
  /** Connections from one address and in total; 0: no limit. */
  readonly perAddressMax: number;
  readonly totalMax: number;
  /** How fast connections may come (connectionMaxTokens). */
  readonly rate: TokenBucketOptions;
}

export class Admission {
  private readonly options: AdmissionOptions;
  private readonly warnings: RareWarnings;
  private readonly bucket: TokenBucket;
  private readonly perAddress = new Map<string, number>();

  constructor(options: AdmissionOptions, warnings: RareWarnings) {
    this.options = options;
    this.warnings = warnings;
    this.bucket = new TokenBucket(options.rate, performance.now());
  }

  /** Counts one more from this address, while there are `total`; `leave` must follow when it is gone. False: refused. */
  enter(address: string, total: number): boolean {
    const count = this.perAddress.get(address) ?? 0;
    const refusal = this.refusal(count, total);
    if (refusal === null) {
      this.perAddress.set(address, count + 1);
      return true;
    }
    const { limit, reason } = refusal;
    this.warnings.warn(limit, `refused a connection from ${address}: ${reason} (${limit})`);
    return false;
  }

  leave(address: string): void {
    const count = (this.perAddress.get(address) ?? 1) - 1;
    if (count > 0) this.perAddress.set(address, count);
    else this.perAddress.delete(address);
  }

  private refusal(fromAddress: number, total: number): { readonly limit: string; readonly reason: string } | null {
    const { perAddressMax, totalMax } = this.options;
    if (perAddressMax > 0 && fromAddress >= perAddressMax) {
      return { limit: `maxClientCnxns=${perAddressMax}`, reason: `it has ${fromAddress} connections already` };
    }
    if (totalMax > 0 && total >= totalMax) {
      return { limit: `maxCnxns=${totalMax}`, reason: `there are ${total} connections already` };
    }
    if (this.bucket.take(performance.now())) return null;
    return { limit: 'connectionMaxTokens', reason: 'connections come too fast' };
  }
}
