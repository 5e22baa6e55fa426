import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import type { CacheCleared } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Dialog } from "../design/Dialog.tsx";
import { count, size } from "../format.ts";
import { useRemembered } from "../remembered.ts";
import { madeBy, sentence } from "../stages.ts";

const AGES = [
  { days: 0, label: "of any age" },
  { days: 1, label: "older than a day" },
  { days: 7, label: "older than a week" },
  { days: 30, label: "older than a month" },
  { days: 182, label: "older than half a year" },
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
  const known = useQuery({ queryKey: ["cache"], queryFn: () => answer(api.GET("/api/v1/cache")) });
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
  const age = AGES.find((one) => one.days === days)?.label ?? `older than ${days} days`;
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
          {known.data.rows.map((row) => (
            <tr key={`${row.stage} ${row.engine}`}>
              <th scope="row">
                {sentence(madeBy(row.stage))}
                {row.engine !== "" && <span className="soft"> {row.engine}</span>}
              </th>
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
        <label className="unseen" htmlFor="cache-age">
          Earlier results to remove
        </label>
        <select
          id="cache-age"
          className="field"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {AGES.map((one) => (
            <option key={one.days} value={one.days}>
              Earlier results {one.label}
            </option>
          ))}
        </select>
        <button type="button" className="button" onClick={() => setAsking(true)} disabled={clear.isPending}>
          Remove…
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
            Earlier results {age} go for good. What every track gives now stays, and your own files are not touched.
          </p>
        </Dialog>
      )}
    </>
  );
}

function lineOfCleared(cleared: CacheCleared): string {
  const passed = cleared.passed_over.length;
  const over = passed === 0 ? "" : `; ${count(passed, "track")} passed over, being worked at`;
  return `${count(cleared.results, "result")} removed, ${size(cleared.removed_bytes)} freed${over}`;
}
