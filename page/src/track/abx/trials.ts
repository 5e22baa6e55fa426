/** An ABX test (Clark, J. Audio Eng. Soc. 30, 1982): X is A or B, hidden, and chosen anew in each trial. */
import type { AbxTrial } from "../../api/schema.ts";

export const FEWEST = 10;
export type Letter = "a" | "b";

/** A or B by the browser's cryptographic random numbers, which nobody can foresee. */
export function hidden(): Letter {
  const [number] = crypto.getRandomValues(new Uint8Array(1));
  return ((number as number) & 1) === 0 ? "a" : "b";
}

export function rightOf(trials: readonly AbxTrial[]): number {
  return trials.filter((trial) => trial.x === trial.answer).length;
}

/** How likely so many right answers or more are by guessing: binomial, one-sided, exact. */
export function chance(right: number, trials: number): number {
  let term = 0.5 ** trials;
  let sum = 0;
  for (let number = 0; number <= trials; number += 1) {
    if (number >= right) sum += term;
    term *= (trials - number) / (number + 1);
  }
  return Math.min(1, sum);
}

export function chanceText(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

const SIGNIFICANT = 0.05;

export function verdict(right: number, trials: number, p: number): string {
  const told = `${right} of ${trials} right, ${chanceText(p)}`;
  return p < SIGNIFICANT
    ? `${told}: you hear the difference.`
    : `${told}: that is no proof that you hear a difference.`;
}
