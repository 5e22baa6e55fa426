/** What happens on the server, as it happens: one event stream for the whole page. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { noteJob } from "./ended.ts";
import type { Job, Jobs } from "./schema.ts";

const AT_MOST_EVERY_MS = 1500; // a batch of finished stages is one look at the library

let connected = true;
const listeners = new Set<() => void>();

function setConnected(now: boolean): void {
  if (connected === now) return;
  connected = now;
  for (const listener of listeners) listener();
}

/** Whether the event stream is up; the page says so where it is not. */
export function useConnected(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connected,
  );
}

/** Keeps ["jobs"], ["tracks"], ["track", …] and ["rejections"] of the query cache up to date. Used once, by App. */
export function useServerEvents(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        for (const queryKey of [["tracks"], ["track"], ["rejections"], ["jobs"]]) {
          void queries.invalidateQueries({ queryKey });
        }
      }, AT_MOST_EVERY_MS);
    };
    const source = new EventSource("/api/v1/events");
    source.addEventListener("open", () => {
      setConnected(true);
      look(); // what happened meanwhile
    });
    source.addEventListener("error", () => setConnected(false));
    source.addEventListener("job", (event: MessageEvent<string>) => {
      const job = JSON.parse(event.data) as Job;
      queries.setQueryData<Jobs>(["jobs"], (known) => ({ jobs: withJob(known?.jobs ?? [], job) }));
      noteJob(job);
      if (job.status !== "queued" && job.status !== "processing") look();
    });
    source.addEventListener("library", look);
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [queries]);
}

/** The jobs with this one as it is now. */
export function withJob(jobs: readonly Job[], job: Job): Job[] {
  const at = jobs.findIndex((one) => one.job_id === job.job_id);
  return at < 0 ? [job, ...jobs] : jobs.with(at, job);
}
