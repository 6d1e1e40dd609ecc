// Who has to agree: more than half of the voters, or, with groups and weights, more than half of the weight in more
// than half of the groups (E91). Pure arithmetic, tested against a dumb twin.

export interface Voter {
  readonly id: number;
  /** A voter of weight 0 follows, but its word does not count. */
  readonly weight: number;
  readonly group: number;
}

export class Quorum {
  readonly voters: readonly Voter[];
  private readonly groupWeights = new Map<number, number>();

  /** Throws RangeError when no voter has any weight. */
  constructor(voters: readonly Voter[]) {
    this.voters = voters;
    for (const { group, weight } of voters) {
      if (weight > 0) this.groupWeights.set(group, (this.groupWeights.get(group) ?? 0) + weight);
    }
    if (this.groupWeights.size === 0) throw new RangeError('a quorum needs a voter with a weight above 0');
  }

  /** Every server with one vote of the same weight. */
  static majority(ids: readonly number[]): Quorum {
    return new Quorum(ids.map((id) => ({ id, weight: 1, group: 0 })));
  }

  includes(id: number): boolean {
    return this.voters.some((voter) => voter.id === id);
  }

  isQuorum(agrees: (id: number) => boolean): boolean {
    const agreed = new Map<number, number>();
    for (const { id, group, weight } of this.voters) {
      if (agrees(id)) agreed.set(group, (agreed.get(group) ?? 0) + weight);
    }
    let groups = 0;
    for (const [group, total] of this.groupWeights) if ((agreed.get(group) ?? 0) * 2 > total) groups++;
    return groups * 2 > this.groupWeights.size;
  }

  /** The greatest zxid that a quorum has reached, given how far each voter has come; 0 when there is none. */
  reachedBy(progress: ReadonlyMap<number, number>): number {
    let reached = 0;
    for (const candidate of progress.values()) {
      if (candidate > reached && this.isQuorum((id) => (progress.get(id) ?? 0) >= candidate)) reached = candidate;
    }
    return reached;
  }
}
