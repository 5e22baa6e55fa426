/** Briefs that results were made with before, and the way back to them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { answer, api, lineOf } from "../../api/client.ts";
import type { BriefChanged } from "../../api/schema.ts";
import { moment } from "../../format.ts";
import { title } from "../labels.ts";
import { shown } from "./schema.ts";

export function Earlier({ track, onRestored }: { track: string; onRestored: (changed: BriefChanged) => void }) {
  const earlier = useQuery({
    queryKey: ["track", track, "earlier"],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/brief/earlier", { params: { path: { track } } })),
  });
  const restore = useMutation({
    mutationFn: (key: string) =>
      answer(api.POST("/api/v1/tracks/{track}/brief/earlier/{key}", { params: { path: { track, key } } })),
    onSuccess: onRestored,
  });
  if (earlier.isError) return <p role="alert">{lineOf(earlier.error)}</p>;
  const briefs = earlier.data?.briefs ?? [];
  return (
    <section className="card block-card" aria-labelledby="earlier">
      <h2 id="earlier">Earlier briefs</h2>
      {restore.error !== null && (
        <p className="alert small" role="alert">
          {lineOf(restore.error)}
        </p>
      )}
      {briefs.length === 0 && <p className="soft small">Nothing was made with another brief yet.</p>}
      <ol className="earlier">
        {briefs.map((brief) => (
          <li key={brief.key}>
            <div className="earlier-head">
              <strong className="small">{moment(brief.made_at)}</strong>
              {brief.current ? (
                <span className="badge good">what is heard now</span>
              ) : (
                <button type="button" className="button tight" disabled={restore.isPending} onClick={() => restore.mutate(brief.key)}>
                  Restore<span className="unseen"> the brief of {moment(brief.made_at)}</span>
                </button>
              )}
            </div>
            <Differences differs={brief.differs} current={brief.current} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** differs: dotted name → then and now. */
function Differences({ differs, current }: { differs: Readonly<Record<string, unknown[]>>; current: boolean }) {
  const rows = Object.entries(differs);
  if (rows.length === 0) return current ? null : <p className="small soft">The same as now.</p>;
  return (
    <ul className="small figures">
      {rows.map(([name, [then, now]]) => (
        <li key={name}>
          {title(name.replaceAll(".", " – "))}: {shown(then)} <span className="soft">then, {shown(now)} now</span>
        </li>
      ))}
    </ul>
  );
}
