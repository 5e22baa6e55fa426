/** Who and what it is, the verdict, and what can be done with the whole track. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { flushSync } from "react-dom";
import { Link, useLocation } from "wouter";
import { answer, api, lineOf } from "../api/client.ts";
import type { Track } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Musical } from "../design/Musical.tsx";
import { clock, likeness, measure, tempo } from "../format.ts";
import { RemoveDialog } from "../library/RemoveDialog.tsx";
import { sentence } from "../stages.ts";
import { onlyTurned } from "./untouched.ts";

export function Heading({ track }: { track: Track }) {
  const { summary, music } = track;
  const facts = [
    clock(summary.duration_s),
    summary.tempo_bpm === null ? null : `${tempo(summary.tempo_bpm)} BPM`,
    summary.loudness_lufs === null ? null : measure(summary.loudness_lufs, "LUFS"),
  ].filter((fact) => fact !== null);
  const { key } = summary;
  return (
    <header className="heading">
      {summary.cover_url !== null && <img className="cover" src={summary.cover_url} alt="" width={72} height={72} />}
      <div className="heading-text">
        <p className="small">
          <Link href="/">Library</Link>
        </p>
        <h1>{summary.title}</h1>
        <p className="soft">
          {summary.artist !== null && <span className="artist">{summary.artist}</span>}
          <span className="figures">
            {facts.join(" · ")}
            {key !== null && (
              <>
                {" · "}
                <Musical text={key} />
                {music?.camelot && ` (${music.camelot})`}
              </>
            )}
          </span>
        </p>
        <p className="badges">
          <Verdict track={track} />
          {(summary.composed !== null || summary.generated) && (
            <span className="badge active">{sentence(summary.composed ?? "AI-generated")}</span>
          )}
        </p>
      </div>
      <Actions track={track} />
    </header>
  );
}

function Verdict({ track }: { track: Track }) {
  const { accepted, total, reasons } = track.quality;
  if (accepted === null) {
    return <span className="badge">{reasons.length > 0 ? `Not judged: ${reasons.join("; ")}` : "No verdict yet"}</span>;
  }
  const turned = onlyTurned(track.stages);
  return (
    <>
      <span className={accepted ? "badge good" : "badge bad"}>{accepted ? "✓ Accepted" : "✕ Not accepted"}</span>
      {turned !== null ? (
        <span className="small">The master is {turned}</span>
      ) : (
        total !== null && <span className="small figures">{likeness(total)}</span>
      )}
    </>
  );
}

function Actions({ track }: { track: Track }) {
  const { track: key, title } = track.summary;
  const queries = useQueryClient();
  const [, go] = useLocation();
  const [asking, setAsking] = useState(false);
  const path = { track: key };
  const process = useMutation({
    mutationFn: () => answer(api.POST("/api/v1/tracks/{track}/process", { params: { path } })),
    onSuccess: () => {
      announce(`${title} is in the queue`);
      void queries.invalidateQueries({ queryKey: ["track", key] });
    },
  });
  const failed = process.error;
  return (
    <div className="actions">
      {track.dagster_url !== null && (
        <a className="button quiet" href={track.dagster_url} target="_blank" rel="noreferrer">
          Open in Dagster <span aria-hidden="true">↗</span>
          <span className="unseen"> (opens a new tab)</span>
        </a>
      )}
      <button type="button" className="button" disabled={process.isPending} onClick={() => process.mutate()}>
        Process again
      </button>
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Remove…
      </button>
      {failed !== null && (
        <p className="alert small" role="alert">
          {lineOf(failed)}
        </p>
      )}
      {asking && (
        <RemoveDialog track={track.summary} onClose={() => setAsking(false)} onRemoved={() => flushSync(() => go("/"))} />
      )}
    </div>
  );
}
