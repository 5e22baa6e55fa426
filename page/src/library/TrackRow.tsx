import { useMutation, useQueryClient } from "@tanstack/react-query";
import { memo, useState } from "react";
import { Link } from "wouter";
import { answer, api, lineOf } from "../api/client.ts";
import type { Job, TrackSummary } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Musical } from "../design/Musical.tsx";
import { clock, likeness, tempo } from "../format.ts";
import { expectTrack } from "../pages.tsx";
import { sentence } from "../stages.ts";
import { detailOf, remedyOf, STATES } from "./states.ts";
import { SmallWaveform } from "./SmallWaveform.tsx";

interface Props {
  index: number;
  top: number;
  /** Undefined as long as the answer is not there. */
  track: TrackSummary | undefined;
  jobs: ReadonlyMap<string, Job>;
  onRemove: (track: TrackSummary) => void;
}

export function TrackRow({ index, top, track, jobs, onRemove }: Props) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="row body"
      data-index={index}
      style={{ transform: `translateY(${top}px)` }}
    >
      {track === undefined ? (
        <span role="cell" className="row-waits">
          <span className="unseen">Loading</span>
        </span>
      ) : (
        <Cells track={track} job={jobs.get(track.track)} onRemove={onRemove} />
      )}
    </div>
  );
}

interface CellsProps {
  track: TrackSummary;
  job: Job | undefined;
  onRemove: (track: TrackSummary) => void;
}

const Cells = memo(function Cells({ track: listed, job, onRemove }: CellsProps) {
  const queries = useQueryClient();
  const track = job === undefined ? listed : withJob(listed, job);
  const { label, tone, meaning } = STATES[track.state];
  const detail = detailOf(track);
  return (
    <>
      <span role="cell" className="cell-cover">
        <Cover key={track.track} url={track.cover_url} />
      </span>
      <span role="cell" className="cell-title">
        <Link
          className="cut title-link"
          href={`/tracks/${track.track}`}
          title={track.title}
          onPointerEnter={() => expectTrack(queries, track.track)}
          onFocus={() => expectTrack(queries, track.track)}
        >
          {track.title}
        </Link>
        <span className="artist-line soft small">
          <span className="cut">{track.artist ?? "Unknown artist"}</span>
          {(track.composed !== null || track.generated) && (
            <span className="badge generated">{sentence(track.composed ?? "AI-generated")}</span>
          )}
        </span>
      </span>
      <span role="cell" className="cell-wave">
        <SmallWaveform key={track.track} track={track.track} decoded={track.duration_s !== null} />
      </span>
      <span role="cell" className="cell-tempo figures">
        {tempo(track.tempo_bpm)}
        {track.tempo_bpm !== null && <span className="unit"> BPM</span>}
      </span>
      <span role="cell" className="cell-key">
        {track.key === null ? "–" : <Musical text={track.key} />}
      </span>
      <span role="cell" className="cell-length figures">
        {clock(track.duration_s)}
      </span>
      <span role="cell" className="cell-worst">
        <span className={`badge ${tone}`} title={meaning}>
          {label}
        </span>
        {track.score !== null && job === undefined && (
          <span className="cut small soft figures">{likeness(track.score)}</span>
        )}
        {detail !== null && (
          <span className="detail small soft" title={detail}>
            {detail}
          </span>
        )}
      </span>
      <span role="cell" className="cell-actions">
        <Remedy track={track} />
        <button
          type="button"
          className="button quiet tight"
          onClick={() => onRemove(track)}
          aria-label={`Remove ${track.title}`}
          title="Remove"
        >
          ✕
        </button>
      </span>
    </>
  );
});

/** The track as its job has it, whose events come at once. */
function withJob(track: TrackSummary, job: Job): TrackSummary {
  const state = job.status === "processing" ? "running" : "queued";
  const { stage, progress, place, expected_seconds } = job;
  return { ...track, state, stage, progress, place, expected_seconds };
}

function Remedy({ track }: { track: TrackSummary }) {
  const ask = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/v1/tracks/{track}/process", { params: { path: { track: track.track } } })),
    onSuccess: () => announce(`${track.title} was asked for`),
    onError: (error) => announce(lineOf(error)),
  });
  const word = remedyOf(track.state);
  if (word === null) return null;
  return (
    <button
      type="button"
      className="button tight"
      onClick={() => ask.mutate()}
      disabled={ask.isPending || ask.isSuccess}
      title={ask.isError ? lineOf(ask.error) : undefined}
    >
      {ask.isError ? `${word} again` : word}
      <span className="unseen"> {track.title}</span>
    </button>
  );
}

function Cover({ url }: { url: string | null }) {
  const [broken, setBroken] = useState(false);
  if (url === null || broken) {
    return (
      <svg className="cover" viewBox="0 0 48 48" aria-hidden="true">
        <path d="M12 21v6M18 17v14M24 12v24M30 17v14M36 21v6" />
      </svg>
    );
  }
  return (
    <img
      className="cover"
      src={url}
      alt=""
      width={48}
      height={48}
      loading="lazy"
      decoding="async"
      onError={() => setBroken(true)}
    />
  );
}
