/** Another track that this one shall sound like: the server knows its file, which no page may name. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { answer, api, lineOf } from "../../api/client.ts";
import type { BriefChange } from "../../api/schema.ts";

interface Props {
  track: string;
  /** Whether one is set. */
  there: boolean;
  pending: boolean;
  onApply: (change: BriefChange) => void;
}

const MOST = 500; // what the server gives at a time; more are found by their names

export function Reference({ track, there, pending, onApply }: Props) {
  const [chosen, setChosen] = useState("");
  const [search, setSearch] = useState("");
  const id = useId();
  const found = useQuery({
    queryKey: ["tracks", "references", search],
    queryFn: () =>
      answer(api.GET("/api/v1/tracks", { params: { query: { search, sort: "title", limit: MOST, offset: 0 } } })),
  });
  const others = found.data?.tracks.filter((other) => other.track !== track) ?? [];
  const named = others.find((other) => other.track === chosen);
  return (
    <details className="card brief-section" open={there}>
      <summary>
        <h2>Reference</h2>
        {there && <span className="badge active">set</span>}
        <span className="small soft">
          Another track of the library, towards whose tone and width the master is moved
        </span>
      </summary>
      <div className="brief-reference">
        <label className="labelled" htmlFor={`${id}-search`}>
          Find
        </label>
        <input id={`${id}-search`} type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
        <label className="labelled" htmlFor={id}>
          Track
        </label>
        <select id={id} value={named === undefined ? "" : chosen} onChange={(event) => setChosen(event.target.value)}>
          <option value="">{others.length === 0 ? "No other track" : "Choose a track"}</option>
          {others.map((other) => (
            <option key={other.track} value={other.track}>
              {other.artist === null ? other.title : `${other.artist} – ${other.title}`}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="button"
          disabled={named === undefined || pending}
          onClick={() => onApply({ set: {}, unset: [], reference_track: chosen, process: true })}
        >
          Use it
        </button>
        {there && (
          <button
            type="button"
            className="button"
            disabled={pending}
            onClick={() => onApply({ set: {}, unset: ["mastering.reference", "mixing.reference"], process: true })}
          >
            Without a reference
          </button>
        )}
      </div>
      <p className="small soft">
        The mix follows it, too, where <i>Balance</i> under Mixing is <i>reference</i>.
      </p>
      {found.error !== null && (
        <p className="alert small" role="alert">
          {lineOf(found.error)}
        </p>
      )}
    </details>
  );
}
