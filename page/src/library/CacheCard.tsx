import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import type { CacheCleared, CacheRow } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Dialog } from "../design/Dialog.tsx";
import { count, size } from "../format.ts";
import { useRemembered } from "../remembered.ts";
import { madeBy, sentence } from "../stages.ts";

const AGES = [
  { days: 0, label: "of any age" },
  { days: 1, label: "over a day old" },
  { days: 7, label: "over a week old" },
  { days: 30, label: "over a month old" },
  { days: 182, label: "over half a year old" },
];

/** How much room results take, and room made. Asked for once it is opened: sizes are counted file by file. */
export function CacheCard() {
  const [open, setOpen] = useState(false);
  return (
    <details className="card panel" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>Disk space</h2>
      </summary>
      {open && <Sizes />}
    </details>
  );
}

function Sizes() {
  const queries = useQueryClient();
  const [days, setDays] = useRemembered("cache.days", 7);
  const [asking, setAsking] = useState(false);
  const known = useQuery({
    queryKey: ["cache", days],
    queryFn: () => answer(api.GET("/api/v1/cache", { params: { query: { older_than_days: days } } })),
    placeholderData: keepPreviousData,
  });
  const clear = useMutation({
    mutationFn: () => answer(api.POST("/api/v1/cache/clear", { body: { older_than_days: days } })),
    onSuccess: (cleared) => {
      announce(lineOfCleared(cleared));
      return queries.invalidateQueries({ queryKey: ["cache"] });
    },
    onSettled: () => setAsking(false),
  });
  if (known.isError) {
    return (
      <p className="alert small" role="alert">
        {lineOf(known.error)}
      </p>
    );
  }
  if (known.data === undefined) return <p className="soft small">Counting…</p>;
  const age = AGES.find((one) => one.days === days)?.label ?? `over ${days} days old`;
  const freed = known.data.removable_bytes;
  return (
    <>
      <table className="sizes small figures">
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col">Current</th>
            <th scope="col">Earlier</th>
          </tr>
        </thead>
        <tbody>
          {byStage(known.data.rows).map((row) => (
            <tr key={row.stage}>
              <th scope="row">{sentence(madeBy(row.stage))}</th>
              <td>{size(row.current_bytes)}</td>
              <td>{size(row.cached_bytes)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Together</th>
            <td>{size(known.data.current_bytes)}</td>
            <td>{size(known.data.cached_bytes)}</td>
          </tr>
          <tr>
            <th scope="row">For listening</th>
            <td colSpan={2}>{size(known.data.light_bytes)}</td>
          </tr>
        </tfoot>
      </table>
      <p className="soft small">
        Earlier results make going back to earlier settings cost nothing. Light copies for listening are made again
        when they are wanted.
      </p>
      <div className="cache-clear">
        <label className="small soft" htmlFor="cache-age">
          Remove earlier results
        </label>
        <select id="cache-age" className="field" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {AGES.map((one) => (
            <option key={one.days} value={one.days}>
              {one.label}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="button"
          onClick={() => setAsking(true)}
          disabled={clear.isPending || known.isPlaceholderData || freed === 0}
        >
          {known.isPlaceholderData ? "Counting…" : freed === 0 ? "Nothing to remove" : `Free ${size(freed)}…`}
        </button>
      </div>
      {clear.isError && (
        <p className="alert small" role="alert">
          {lineOf(clear.error)}
        </p>
      )}
      {clear.isSuccess && <p className="small">{lineOfCleared(clear.data)}</p>}
      {asking && (
        <Dialog
          title="Remove earlier results?"
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" className="button" onClick={() => setAsking(false)}>
                Keep them
              </button>
              <button
                type="button"
                className="button danger"
                onClick={() => clear.mutate()}
                disabled={clear.isPending}
              >
                {clear.isPending ? "Removing…" : "Remove"}
              </button>
            </>
          }
        >
          <p>
            {size(freed)} are freed: earlier results {age} go for good. What every track gives now stays, and your own files
            are not touched.
          </p>
        </Dialog>
      )}
    </>
  );
}

interface StageSize {
  stage: string;
  current_bytes: number;
  cached_bytes: number;
}

/** Whatever engines made it. */
function byStage(rows: readonly CacheRow[]): StageSize[] {
  const found = new Map<string, StageSize>();
  for (const { stage, current_bytes, cached_bytes } of rows) {
    const row = found.get(stage) ?? { stage, current_bytes: 0, cached_bytes: 0 };
    found.set(stage, {
      stage,
      current_bytes: row.current_bytes + current_bytes,
      cached_bytes: row.cached_bytes + cached_bytes,
    });
  }
  return [...found.values()];
}

function lineOfCleared(cleared: CacheCleared): string {
  const passed = cleared.passed_over.length;
  const over = passed === 0 ? "" : `; ${count(passed, "track")} passed over, being worked at`;
  return `${count(cleared.results, "result")} removed, ${size(cleared.removed_bytes)} freed${over}`;
}
