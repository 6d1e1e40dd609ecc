/**
 * Makes a failing case small: leaves out ever smaller pieces as long as what remains still fails. The result is not
 * the smallest there is, but what stays matters: no single item can be left out.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  budgetMs: number,
): Promise<readonly T[]> {
  const deadline = Date.now() + budgetMs;
  let kept = items;
  for (let piece = Math.ceil(kept.length / 2); ; piece = Math.max(1, Math.floor(piece / 2))) {
    let progress = false;
    for (let start = 0; start < kept.length && Date.now() < deadline; ) {
      const candidate = [...kept.slice(0, start), ...kept.slice(start + piece)];
      if (await fails(candidate)) {
        kept = candidate;
        progress = true;
      } else start += piece;
    }
    if ((piece === 1 && !progress) || Date.now() >= deadline) return kept;
  }
}
