/** What restoration did, step by step, in words. */
import type { RestorationStep, StageReport, StepAim } from "../api/schema.ts";
import { measure, words } from "../format.ts";
import { title } from "./labels.ts";

/** Whether a step was kept, and why not where it was not. */
export function keptOf({ kept, taken_back }: RestorationStep): string {
  const why = taken_back.length === 0 ? "" : `, as ${taken_back.join("; ")}`;
  if (kept >= 1) return "kept everywhere";
  if (kept > 0) return `kept in ${Math.min(99, Math.max(1, Math.round(100 * kept)))} % of what it changed, elsewhere taken back${why}`;
  return taken_back.length > 0 ? `taken back${why}` : "nothing changed";
}

/** "−78.1 → −86.7 dBFS": as exact as small values need. */
export function movedBy({ before, after, unit }: StepAim): string {
  const most = Math.max(Math.abs(before), Math.abs(after));
  const digits = most >= 10 ? 1 : most >= 1 ? 2 : 3;
  return `${measure(before, "", digits)} → ${measure(after, unit, digits)}`;
}

/** What was listened for in vain, recording by recording, and in which no step was planned. */
export function idleLines(steps: Readonly<Record<string, readonly RestorationStep[]>>): string[] {
  const recordings = Object.entries(steps);
  const whole = recordings.length === 1 && recordings[0]?.[0] === "track";
  const inVain = recordings.flatMap(([name, each]) => {
    const subjects = each.filter((step) => step.nothing_found).map((step) => step.subject);
    return subjects.length === 0 ? [] : [`${whole ? "Listened" : `${title(name)}: listened`} for, nothing found: ${subjects.join(", ")}.`];
  });
  const unplanned = recordings.filter(([, each]) => each.length === 0).map(([name]) => words(name));
  if (unplanned.length === 0) return inVain;
  return [...inVain, whole ? "No step was planned." : `No step was planned: ${unplanned.join(", ")}.`];
}

/** What a stage measured, less what its steps tell in words. */
export function measuresBeside({ measures, steps }: StageReport): [string, StageReport["measures"][string]][] {
  const told = Object.entries(steps ?? {}).flatMap(([name, each]) => each.map((step) => `${name}_${step.step}_`));
  return Object.entries(measures).filter(([name]) => !told.some((begin) => name.startsWith(begin)));
}
