/**
 * What a full disk has cost, and so which commands can no longer be carried out.
 *
 * Batches, epochs, truncations and full copies are asked for ahead of the answers to earlier ones. When one fails, those
 * behind it mean something else than their caller thought: a batch would stand behind another history, an epoch would
 * promise entries that are not there (E83). They are lost with it, until the caller is known to know:
 *
 * - a batch was lost: until it resumes;
 * - a truncation failed: until one succeeds, for the log still holds what was to go;
 * - a full checkpoint failed: from its end on, until its owner has heard of it.
 *
 * A full checkpoint that succeeds makes good all of it: what is behind it rests on nothing that came before.
 */
export class Losses {
  private isBatchLost = false;
  private isTruncationOwed = false;
  private isCopyLost = false;
  /** The full checkpoint in progress, or the last one, has failed; its end may not have been reached. */
  private hasCopyFailed = false;
  /** Failures of full checkpoints that the owner has not heard of. */
  private unheardFailures = 0;

  get isLosing(): boolean {
    return this.isBatchLost || this.isTruncationOwed || this.isCopyLost;
  }

  /** Returns whether the owner has to be told: not of batches behind one it was told of, nor behind a failed copy. */
  batchLost(): boolean {
    const isNews = !this.isBatchLost && !this.isCopyLost;
    if (isNews) this.isBatchLost = true;
    return isNews;
  }

  resumed(): void {
    this.isBatchLost = false;
  }

  truncationFailed(): void {
    this.isTruncationOwed = true;
  }

  truncated(): void {
    this.isTruncationOwed = false;
  }

  copyBegun(): void {
    this.hasCopyFailed = false;
  }

  copyFailed(): void {
    this.hasCopyFailed = true;
    this.unheardFailures++;
  }

  /** Everything asked for before the end of the copy is done, and so is the copy, one way or the other. */
  copyEnded(): void {
    this.isCopyLost = this.hasCopyFailed && this.unheardFailures > 0;
  }

  copied(): void {
    this.isBatchLost = false;
    this.isTruncationOwed = false;
    this.isCopyLost = false;
  }

  failureHeard(): void {
    this.unheardFailures--;
    if (this.unheardFailures === 0) this.isCopyLost = false;
  }
}
