/** Jobs that ended while the page was open, the latest first, until they are dismissed. */
import { useSyncExternalStore } from "react";
import { announce } from "../design/announce.tsx";
import type { Job } from "./schema.ts";

const AT_MOST = 8; // the list of tracks has all of them
let ended: readonly Job[] = [];
const listeners = new Set<() => void>();

function set(now: readonly Job[]): void {
  ended = now;
  for (const listener of listeners) listener();
}

/** Told of every job that changes. One that works again is no longer among them. */
export function noteJob(job: Job): void {
  const others = ended.filter((one) => one.job_id !== job.job_id && (job.track === null || one.track !== job.track));
  if (job.status === "queued" || job.status === "processing") {
    if (others.length < ended.length) set(others);
    return;
  }
  if (ended.some((one) => one.job_id === job.job_id && one.status === job.status)) return;
  set([job, ...others].slice(0, AT_MOST));
  const said = { completed: "is done", failed: "failed", cancelled: "was stopped" }[job.status];
  announce(`${job.title} ${said}${job.reason === null ? "" : `: ${job.reason}`}`);
}

export function forgetEnded(id: string): void {
  set(ended.filter((one) => one.job_id !== id));
}

export function useEndedJobs(): readonly Job[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => ended,
  );
}
