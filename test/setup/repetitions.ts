/** How often tests do again what went well: less on a slow machine. */

const share = Number(process.env.FLINTAP_REPETITIONS ?? 1);

/** That many repetitions, or the share of them that `FLINTAP_REPETITIONS` names (0.1 is a tenth). */
export function repetitions(many: number): number {
  return Math.max(2, Math.round(many * share));
}
