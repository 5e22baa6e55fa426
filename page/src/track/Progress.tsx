/** What is being done with the track now, as the server's events tell it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, api, lineOf } from "../api/client.ts";
import type { Job, Track } from "../api/schema.ts";
import { about } from "../format.ts";
import { doing, madeBy, sentence } from "../stages.ts";

export function Progress({ track }: { track: Track }) {
  const key = track.summary.track;
  const queries = useQueryClient();
  const jobs = useQuery({
    queryKey: ["jobs"],
    queryFn: () => answer(api.GET("/api/v1/jobs", { params: { query: { active: true } } })),
  });
  const job = jobs.data?.jobs.find((one) => one.track === key && active(one));
  const cancel = useMutation({
    mutationFn: (job_id: string) => answer(api.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  if (job === undefined) return <Stopped track={track} />;
  return (
    <section className="card working" aria-label="Being processed">
      <p role="status">{lineFor(job)}</p>
      <progress className="progress" max={1} value={job.progress} aria-label="Progress" />
      <button type="button" className="button tight" disabled={cancel.isPending} onClick={() => cancel.mutate(job.job_id)}>
        Cancel
      </button>
      {cancel.error !== null && <p role="alert">{lineOf(cancel.error)}</p>}
    </section>
  );
}

function Stopped({ track }: { track: Track }) {
  const { state, reason } = track.summary;
  if (state === "failed") {
    return (
      <p className="alert" role="alert">
        {reason ?? "Something in it could not be made."}
      </p>
    );
  }
  if (track.missing_stages.length === 0) return null;
  return (
    <p className="card working soft">
      Not made yet: {track.missing_stages.map((stage) => madeBy(stage)).join(", ")}.
    </p>
  );
}

export function active(job: Job): boolean {
  return job.status === "queued" || job.status === "processing";
}

function lineFor(job: Job): string {
  const left = job.expected_seconds === null ? "" : `, ${about(job.expected_seconds)} to go`;
  if (job.status === "queued") return `In the queue${job.place === null ? "" : `, at place ${job.place}`}${left}`;
  const fetching = job.fetching === null ? "" : `, fetching ${job.fetching}`;
  return `${job.stage === null ? "Being processed" : sentence(doing(job.stage))}, ${Math.round(job.progress * 100)} %${fetching}${left}`;
}
