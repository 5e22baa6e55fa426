/** The order in which jobs are shown, and how they are told. */
import type { Job } from "../api/schema.ts";
import { about } from "../format.ts";
import { doing } from "../stages.ts";

export function isActive(job: Job): boolean {
  return job.status === "queued" || job.status === "processing";
}

/** Those at work first, the furthest on top; then the queue by place, those without a place last, by when they were
 * asked for. */
export function inOrder(jobs: readonly Job[]): Job[] {
  return jobs.filter(isActive).toSorted((one, other) => {
    if (one.status !== other.status) return one.status === "processing" ? -1 : 1;
    if (one.status === "processing") return other.progress - one.progress || byTime(one, other);
    return (one.place ?? Infinity) - (other.place ?? Infinity) || byTime(one, other);
  });
}

function byTime(one: Job, other: Job): number {
  return Date.parse(one.asked_at) - Date.parse(other.asked_at);
}

/** One line: "mixing, 62 %, about 40 s left" or "3rd in the queue, about 4 min". */
export function lineOf(job: Job): string {
  const parts: string[] = [];
  if (job.status === "processing") {
    parts.push(job.stage === null ? "starting" : doing(job.stage), `${Math.round(job.progress * 100)} %`);
    if (job.fetching !== null) parts.push(`fetching ${job.fetching}`);
    if (job.expected_seconds !== null) parts.push(`${about(job.expected_seconds)} left`);
  } else {
    parts.push(job.place === null ? "in the queue" : placeInWords(job.place));
    if (job.expected_seconds !== null) parts.push(about(job.expected_seconds));
  }
  return parts.join(", ");
}

export function placeInWords(place: number): string {
  return place === 1 ? "next in the queue" : `${ordinal(place)} in the queue`;
}

const SUFFIXES: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };
const ORDINALS = new Intl.PluralRules("en-GB", { type: "ordinal" });

export function ordinal(number: number): string {
  return `${number}${SUFFIXES[ORDINALS.select(number)] ?? "th"}`;
}
