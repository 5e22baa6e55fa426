import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { answer, api, lineOf as lineOfError } from "../api/client.ts";
import { useConnected } from "../api/events.ts";
import { forgetEnded, useEndedJobs } from "../api/ended.ts";
import type { Job } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { about } from "../format.ts";
import { inOrder, lineOf } from "./queue.ts";

const SHOWN = 50;

export function Queue() {
  const known = useQuery({
    queryKey: ["jobs"],
    queryFn: () => answer(api.GET("/api/v1/jobs", { params: { query: { active: true } } })),
  });
  const ended = useEndedJobs();
  const connected = useConnected();
  const active = inOrder(known.data?.jobs ?? []);
  const waits = active.map((job) => job.expected_seconds);
  return (
    <section className="card panel" aria-labelledby="queue-title">
      <div className="panel-head">
        <h2 id="queue-title">Queue</h2>
        {active.length > 1 && (
          <span className="soft small">
            {active.length} jobs{waits.every((wait) => wait !== null) && `, ${about(Math.max(...waits))} in all`}
          </span>
        )}
      </div>
      {!connected && <p className="soft small">Not known while Resonate does not answer.</p>}
      {known.isError && connected && (
        <p className="alert small" role="alert">
          {lineOfError(known.error)}
        </p>
      )}
      {connected && known.isSuccess && active.length === 0 && ended.length === 0 && <p className="soft small">Nothing to do.</p>}
      <ul className="lines">
        {active.slice(0, SHOWN).map((job) => (
          <ActiveJob key={job.job_id} job={job} />
        ))}
        {ended.map((job) => (
          <EndedJob key={job.job_id} job={job} />
        ))}
      </ul>
      {active.length > SHOWN && <p className="soft small">and {active.length - SHOWN} more</p>}
    </section>
  );
}

function Title({ job }: { job: Job }) {
  if (job.track === null) return <span className="cut">{job.title}</span>;
  return (
    <Link className="cut" href={`/tracks/${job.track}`} title={job.title}>
      {job.title}
    </Link>
  );
}

function ActiveJob({ job }: { job: Job }) {
  const cancel = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id: job.job_id } } })),
    onSuccess: () => announce(`${job.title} is being stopped`),
  });
  return (
    <li className="line" data-job={job.job_id}>
      <div className="line-head">
        <Title job={job} />
        <button
          type="button"
          className="button quiet tight"
          disabled={cancel.isPending || cancel.isSuccess}
          onClick={() => cancel.mutate()}
        >
          {cancel.isSuccess ? "Stopping" : "Cancel"}
          <span className="unseen"> {job.title}</span>
        </button>
      </div>
      {job.status === "processing" && (
        <progress className="progress" value={job.progress} max={1} aria-label={`Progress of ${job.title}`} />
      )}
      <p className="small soft figures">{lineOf(job)}</p>
      {cancel.isError && (
        <p className="small alert" role="alert">
          {lineOfError(cancel.error)}
        </p>
      )}
    </li>
  );
}

function EndedJob({ job }: { job: Job }) {
  const retry = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/v1/jobs/{job_id}/retry", { params: { path: { job_id: job.job_id } } })),
    onSuccess: () => forgetEnded(job.job_id),
  });
  const said = { completed: "Done", failed: "Failed", cancelled: "Stopped" }[job.status as "completed"];
  return (
    <li className={job.status === "failed" ? "line wrong" : "line"} data-job={job.job_id}>
      <div className="line-head">
        <Title job={job} />
        {job.status !== "completed" && (
          <button
            type="button"
            className="button quiet tight"
            disabled={retry.isPending}
            onClick={() => retry.mutate()}
          >
            Retry<span className="unseen"> {job.title}</span>
          </button>
        )}
        <button
          type="button"
          className="button quiet tight"
          onClick={() => forgetEnded(job.job_id)}
          aria-label={`Dismiss ${job.title}`}
        >
          ✕
        </button>
      </div>
      <p className="small soft">
        {said}
        {job.reason !== null && `: ${job.reason}`}
      </p>
      {retry.isError && (
        <p className="small alert" role="alert">
          {lineOfError(retry.error)}
        </p>
      )}
    </li>
  );
}
