/** Of a track that was composed: from which words, what was assumed, and what can be made of the same words. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { lineOf } from "../api/client.ts";
import type { Composed as Facts, CompositionWords, Track } from "../api/schema.ts";
import "../compose/compose.css";
import { begin, COMPOSE, likeOf, nextSeed } from "../compose/draft.ts";
import { Rows } from "../compose/Readings.tsx";
import { compose } from "../compose/send.ts";
import { labelOf, remarkOf, rowsOf } from "../compose/told.ts";
import { announce } from "../design/announce.tsx";
import { typeset } from "../format.ts";
import { sentence } from "../stages.ts";

export function Composed({ track }: { track: Track }) {
  const facts = track.composed;
  if (facts === null) return null;
  const { words, readings, not_understood, remarks } = facts;
  const understood = rowsOf(readings, false);
  const assumed = rowsOf(readings, true);
  const like = likeOf(facts);
  return (
    <section className="card composed" aria-labelledby="composed-title">
      <div className="composed-head">
        <div>
          <h2 id="composed-title">{labelOf(facts.label)}</h2>
          <p className="small soft">{madeBy(facts)}</p>
        </div>
        {words !== null && !facts.by_plan && <Actions words={words} lost={like?.lost === true} />}
      </div>
      {like !== null && (
        <p className="small">
          In the style of {like.track === null ? like.name : <Link href={`/tracks/${like.track}`}>{like.name}</Link>}.
          {like.lost && " For a variation, the file has to be chosen again: change the words."}
        </p>
      )}
      {facts.sounds !== "" && <p className="small">{typeset(`${sentence(facts.sounds)}.`)}</p>}
      {facts.by_plan && <p>Played as a plan that was given.</p>}
      {words === null && <p>The file with its words is gone, or was changed since.</p>}
      {words !== null && words.prompt !== "" && <blockquote>{words.prompt}</blockquote>}
      {understood.length + assumed.length > 0 && (
        <details className="small">
          <summary>What was understood and assumed</summary>
          <div className="columns composed-readings">
            {understood.length > 0 && (
              <div>
                <h3>Understood</h3>
                <Rows rows={understood} />
              </div>
            )}
            {assumed.length > 0 && (
              <div>
                <h3>Assumed</h3>
                <Rows rows={assumed} told={false} />
              </div>
            )}
          </div>
          {not_understood.length > 0 && <p>Not understood: {not_understood.join(", ")}</p>}
          {remarks.map((remark) => (
            <p key={remark}>{typeset(remarkOf(remark))}</p>
          ))}
        </details>
      )}
    </section>
  );
}

function madeBy({ engine, model, licence, seed, words }: Facts): string {
  const anew = words !== null && seed !== null && seed !== words.seed ? ` (made anew: ${words.seed} did not come out as planned)` : "";
  const facts = [
    [engine, model].filter(Boolean).join(" "),
    licence === "" ? "" : `licence ${licence}`,
    seed === null ? "" : `seed ${seed}${anew}`,
  ];
  return facts.filter((fact) => fact !== "").join(" · ");
}

function Actions({ words, lost }: { words: CompositionWords; lost: boolean }) {
  const [, go] = useLocation();
  const next = nextSeed(words.seed);
  const queries = useQueryClient();
  const vary = useMutation({
    mutationFn: () => compose({ ...words, seed: next }),
    onSuccess: ({ track }) => {
      void queries.invalidateQueries({ queryKey: ["tracks"] }); // a list that was asked for just now lacks it
      announce("A variation is being composed");
      go(`/tracks/${track}`);
    },
  });
  return (
    <div className="actions">
      <button type="button" className="button" disabled={lost || vary.isPending} title={`The same words with seed ${next}: a track of its own`} onClick={() => vary.mutate()}>
        Variation
      </button>
      <button
        type="button"
        className="button"
        onClick={() => {
          begin(words);
          go(`/#${COMPOSE}`);
        }}
      >
        Change the words
      </button>
      {vary.isError && (
        <p className="alert small" role="alert">
          {lineOf(vary.error)}
        </p>
      )}
    </div>
  );
}
