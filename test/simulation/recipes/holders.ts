/**
 * Who holds what, as the holders themselves believe. Checks that nobody is given what others hold and cannot share, and
 * that a resource behind it, which refuses an older token, never has to refuse a holder.
 *
 * A holder counts as one while it is right to go on: its lease says so, by the clock. One whose process stands still does
 * nothing meanwhile, and is to find out when it goes on. Nor does one count whose session somebody has closed for it.
 */
import { FencedResource, StaleTokenError } from '../../../src/recipes/index.js';
import type { Life, Play } from './play.js';

/** A lease of any recipe. */
export interface Held {
  readonly token: bigint;
  readonly signal: AbortSignal;
  readonly isHeld: boolean;
}

interface Holder {
  readonly life: Life;
  readonly lease: Held;
  readonly isShared: boolean;
  readonly sessionId: bigint;
}

export class Holders {
  private readonly holders = new Set<Holder>();
  private readonly resource = new FencedResource(0);
  private heldInCalm = 0;

  constructor(
    private readonly play: Play,
    private readonly what: string,
    /** How many may hold it together, if they share. */
    private readonly sharesMax = Number.POSITIVE_INFINITY,
  ) {}

  /** Works with a lease until it is time to give it up: for a while, or until its signal aborts. */
  async hold(life: Life, lease: Held, options: { readonly isShared?: boolean } = {}): Promise<void> {
    const { play, what, holders } = this;
    const holder = { life, lease, isShared: options.isShared ?? false, sessionId: life.client.session.id };
    if (isRight(holder)) {
      const others = [...holders].filter((other) => isRight(other));
      const together = others.filter((other) => holder.isShared && other.isShared);
      const isAllowed = together.length === others.length && together.length < this.sharesMax;
      const brief = ({ life: { name }, lease: { token } }: Holder) => `${name} with token ${token}`;
      play.check(isAllowed, `${what}: nobody gets what another one holds`, () => ({
        holder: brief(holder),
        others: others.map(brief),
      }));
    }
    holders.add(holder);
    if (play.world.nowMs >= play.calmFromMs) this.heldInCalm++;
    life.say(`holds ${what} with token ${lease.token}`);
    play.count(`held ${what}`);
    for (let steps = 1 + life.random.int(3); steps > 0 && !lease.signal.aborted && !life.isOver; steps--) {
      this.write(holder);
      await life.sleep(life.random.pick([5, 50, 400]));
    }
    if (life.random.bool(0.2)) this.write(holder); // one that does not look at its signal
    holders.delete(holder);
    life.say(`gives ${what} up`);
  }

  /** Whatever has happened to others, it can be had. */
  checkProgress(): void {
    this.play.check(this.heldInCalm > 0, `${this.what} is had by somebody when all is well again`, () => null);
  }

  private write(holder: Holder): void {
    const { life, lease, isShared } = holder;
    if (isShared) return; // tokens of those who share say nothing about each other
    try {
      this.resource.write(lease.token, (value) => value + 1);
    } catch (error) {
      if (!(error instanceof StaleTokenError)) throw error;
      this.play.count('zombies kept out');
      this.play.check(!isRight(holder), `${this.what}: a holder's token is the newest`, () => `${life.name}: ${error}`);
    }
  }
}

function isRight({ life, lease, sessionId }: Holder): boolean {
  return !life.process.isKilled && !life.betrayed.has(sessionId) && lease.isHeld;
}
