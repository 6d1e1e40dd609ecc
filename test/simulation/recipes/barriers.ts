/** Barriers: nobody passes a gate that is closed; a round begins with all its members and ends when all have left. */
import { Barrier, DoubleBarrier } from '../../../src/recipes/index.js';
import { orNull } from '../../../src/recipes/waiting.js';
import { attempt, isSound, type Life, type Recipe } from './play.js';

export const barrier: Recipe = {
  name: 'barrier',
  begin(play) {
    /** When the gate was surely closed: from the answer to close() until open() was called. */
    let closedSinceMs = Number.POSITIVE_INFINITY;
    play.actor('keeper', async (life) => {
      closedSinceMs = Number.POSITIVE_INFINITY; // what the keeper before it has last asked for may still happen
      const gate = new Barrier(life.client, '/gates/a');
      while (!life.isOver) {
        await attempt(life, 'close', async () => {
          await gate.close();
          closedSinceMs = play.world.nowMs;
        });
        await life.sleep(1000);
        closedSinceMs = Number.POSITIVE_INFINITY;
        await attempt(life, 'open', () => gate.open());
        await life.sleep(300);
      }
      await gate.open();
    });
    for (let i = 0; i < 1 + play.random.int(3); i++) {
      play.actor(`p${i}`, async (life) => {
        const gate = new Barrier(life.client, '/gates/a');
        while (!life.isOver) {
          await attempt(life, 'wait', async () => {
            const { nowMs } = play.world;
            await life.client.sync();
            await gate.wait({ signal: life.ending });
            play.check(nowMs < closedSinceMs, 'nobody passes a closed gate', () => ({
              who: life.name,
              nowMs,
              closedSinceMs,
            }));
            play.count('gates passed');
          });
          await life.sleep(100);
        }
      });
    }
    return async () => {};
  },
};

/** A call of enter(), until its member has left. */
interface Visit {
  readonly life: Life;
  readonly calledMs: number;
  round: string | null;
  isLeaving: boolean;
  isSafe: () => boolean;
  endMs: number;
}

export const doubleBarrier: Recipe = {
  name: 'double-barrier',
  begin(play) {
    const size = 2 + play.random.int(2);
    const visits: Visit[] = [];
    const enter = async (life: Life, hall: DoubleBarrier) => {
      const visit: Visit = {
        life,
        calledMs: play.world.nowMs,
        round: null,
        isLeaving: false,
        isSafe: () => false,
        endMs: Number.POSITIVE_INFINITY,
      };
      visits.push(visit);
      try {
        const member = await hall.enter({ signal: life.ending });
        const sessionId = life.client.session.id;
        visit.isSafe = () => isSound(life, sessionId) && !member.signal.aborted;
        // Whoever was on his way in at some time since this one came, alive or not by now.
        const present = visits.filter(({ endMs }) => endMs > visit.calledMs).length;
        play.check(present >= size, 'nobody enters alone', () => ({ who: life.name, present, size }));
        const node = await orNull(life.client.get(member.path)); // gone with the session, perhaps
        const place = await life.client.exists('/halls/a'); // numbers begin again when it is made anew
        visit.round = node === null ? null : `${node.data} at ${place?.czxid}`;
        const together = visits.filter(({ round }) => round !== null && round === visit.round).length;
        play.check(together <= size, 'a round is full with all its members', () => ({
          round: visit.round,
          together,
          size,
        }));
        life.say(`has entered round ${visit.round}`);
        play.count('entered');
        await life.sleep(200);
        visit.isLeaving = true;
        await member.leave();
        const inside = visits.filter(
          (one) => one.round !== null && one.round === visit.round && !one.isLeaving && one.isSafe(),
        );
        const wasSafe = visit.isSafe();
        play.check(!wasSafe || inside.length === 0, 'a round ends when all have left', () => ({
          who: life.name,
          inside: inside.map((one) => one.life.name),
        }));
        play.count('left');
      } finally {
        visit.endMs = play.world.nowMs;
      }
    };
    for (let i = 0; i < size + play.random.int(2); i++) {
      play.actor(`p${i}`, async (life) => {
        const hall = new DoubleBarrier(life.client, '/halls/a', size);
        while (!life.isOver) {
          await attempt(life, 'double barrier', () => enter(life, hall));
          await life.sleep(100);
        }
      });
    }
    return async () => {};
  },
};
