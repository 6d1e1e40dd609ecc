/**
 * Latencies of millions of requests in a few kilobytes: a log-linear histogram of microseconds. Values below 128 have a
 * bucket each; every doubling above is cut into 128 equal buckets, so that a percentile is never off by more than one
 * part in 128, whether it is 50 µs or 5 s.
 */
const SUB_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BITS;
const VALUE_BITS_MAX = 31;
const BUCKETS = (VALUE_BITS_MAX - SUB_BITS + 1) * SUB_BUCKETS;
const VALUE_MAX = 2 ** VALUE_BITS_MAX - 1;

export class Histogram {
  private readonly counts = new Float64Array(BUCKETS);
  private total = 0;

  get count(): number {
    return this.total;
  }

  /** @param valueUs whole microseconds are kept; what is above half an hour counts as that. */
  record(valueUs: number): void {
    this.counts[bucketOf(valueUs)]++;
    this.total++;
  }

  /**
   * The middle of the bucket in which the share `quantile` (0 to 1) of all values is reached, in µs; 0 when nothing was
   * recorded.
   */
  quantileUs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(this.total * quantile));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket];
      if (seen >= rank) return middleOf(bucket);
    }
    return 0;
  }
}

function bucketOf(valueUs: number): number {
  const value = Math.min(VALUE_MAX, Math.max(0, valueUs)) | 0;
  if (value < SUB_BUCKETS) return value;
  const doublings = 31 - Math.clz32(value) - SUB_BITS;
  // The top bit of the shifted value is always set and says nothing: it is what numbers the doubling.
  return (doublings << SUB_BITS) + (value >>> doublings);
}

function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const doublings = (bucket >>> SUB_BITS) - 1;
  const first = ((bucket & (SUB_BUCKETS - 1)) | SUB_BUCKETS) * 2 ** doublings;
  return first + (2 ** doublings - 1) / 2;
}
