/** A recording in whose style it is composed: a track of the library, which the server knows, or a file. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import { trackQuery } from "../api/track.ts";
import { useSettled } from "../library/settled.ts";
import type { Draft } from "./draft.ts";

const MOST = 100; // more are found by their names
const PAUSE_MS = 300;

interface Props {
  draft: Draft;
  file: File | null;
  onChange: (draft: Draft) => void;
  onFile: (file: File | null) => void;
}

export function ReferenceField({ draft, file, onChange, onFile }: Props) {
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const settled = useSettled(search, PAUSE_MS);
  const there = draft.reference !== "";
  const named = useQuery({ ...trackQuery(draft.reference), enabled: there });
  const found = useQuery({
    queryKey: ["tracks", "references", settled],
    enabled: open,
    queryFn: () =>
      answer(api.GET("/api/v1/tracks", { params: { query: { search: settled, sort: "title", limit: MOST, offset: 0 } } })),
  });
  const tracks = found.data?.tracks ?? [];
  const name = file?.name ?? (there ? (named.data?.summary.title ?? draft.reference) : null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (file === null && input.current !== null) input.current.value = ""; // it keeps what was chosen otherwise
  }, [file]);
  const none = () => {
    onFile(null);
    if (there) onChange({ ...draft, reference: "" });
  };
  return (
    <div className="compose-field wide">
      <details className="compose-whole" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span className="compose-whole-label">In the style of</span> <span className="small">{name ?? "nothing in particular"}</span>
        </summary>
        <div className="compose-reference">
          <input type="search" className="field tight" aria-label="Find a track" placeholder="Find a track" value={search} onChange={(event) => setSearch(event.target.value)} />
          <select
            className="field tight"
            aria-label="Track in whose style it is composed"
            value={tracks.some(({ track }) => track === draft.reference) ? draft.reference : ""}
            onChange={(event) => {
              onFile(null);
              onChange({ ...draft, reference: event.target.value });
            }}
          >
            <option value="">{tracks.length === 0 && found.isSuccess ? "No track found" : "A track of the library…"}</option>
            {tracks.map(({ track, title, artist }) => (
              <option key={track} value={track}>
                {artist === null ? title : `${artist} – ${title}`}
              </option>
            ))}
          </select>
          <label className="compose-file small">
            Or a file
            <input
              ref={input}
              type="file"
              accept="audio/*"
              onChange={(event) => {
                const chosen = event.target.files?.[0];
                if (chosen === undefined) return;
                onFile(chosen);
                if (there) onChange({ ...draft, reference: "" });
              }}
            />
          </label>
        </div>
        {found.isError && (
          <p className="alert small" role="alert">
            {lineOf(found.error)}
          </p>
        )}
      </details>
      <p className="small soft">
        {name === null
          ? "Its tempo, key, form, groove and balance count where your words say nothing."
          : file === null
            ? "Your words and choices count before what is heard in it."
            : "It is heard when it is composed; your words and choices count before it."}
        {name !== null && (
          <button type="button" className="compose-undo" onClick={none}>
            Leave it out
          </button>
        )}
      </p>
      {there && named.isError && (
        <p className="alert small" role="alert">
          {lineOf(named.error)}
        </p>
      )}
    </div>
  );
}
