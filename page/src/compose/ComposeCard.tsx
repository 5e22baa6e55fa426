/** Words for a piece of music: what is understood of them, what is chosen beside them, and having it composed. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { lineOf } from "../api/client.ts";
import { announce } from "../design/announce.tsx";
import { clock, musical, typeset } from "../format.ts";
import "./compose.css";
import { ByModelField } from "./ByModelField.tsx";
import { Chosen } from "./Chosen.tsx";
import { COMPOSE, type Draft, EMPTY, forgetDraft, useDraft } from "./draft.ts";
import { EngineField, useEngines } from "./EngineField.tsx";
import { Fields } from "./Fields.tsx";
import { compose } from "./send.ts";
import { ReferenceField } from "./ReferenceField.tsx";
import { Readings } from "./Readings.tsx";
import { SoundsField } from "./SoundsField.tsx";
import { TitleField } from "./TitleField.tsx";
import { remarkOf } from "./told.ts";
import { useUnderstanding } from "./understanding.ts";

const EXAMPLE = "Warm deep house in F minor, around 122 BPM, with electric piano and a long breakdown";
const LONGEST = 10_000;

export function ComposeCard() {
  const [draft, setDraft] = useDraft();
  const [wrong, setWrong] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const prompt = useRef<HTMLTextAreaElement>(null);
  const [, go] = useLocation();
  const understanding = useUnderstanding(draft);
  const engines = useEngines();
  const { told, current, reading, error, hurry } = understanding;
  const says = draft.prompt.trim() !== "";
  const lacks = engines?.engines.find(({ name }) => name === draft.engine)?.lacks ?? "";
  const change = (now: Draft) => {
    setDraft(now);
    hurry(now);
  };
  const queries = useQueryClient();
  const send = useMutation({
    mutationFn: () => compose(draft, file),
    onSuccess: ({ track }) => {
      void queries.invalidateQueries({ queryKey: ["tracks"] }); // a list that was asked for just now lacks it
      announce("It is being composed");
      forgetDraft();
      go(`/tracks/${track}`);
    },
  });
  // "Change the words" of a track leads here.
  useEffect(() => {
    if (location.hash === `#${COMPOSE}`) prompt.current?.focus();
  }, []);
  return (
    <section id={COMPOSE} className="card compose" aria-labelledby="compose-title">
      <h2 id="compose-title">
        <label htmlFor="compose-prompt">Compose from words</label>
      </h2>
      <textarea
        ref={prompt}
        id="compose-prompt"
        className="field"
        rows={3}
        maxLength={LONGEST}
        value={draft.prompt}
        placeholder={EXAMPLE}
        aria-invalid={error !== null}
        aria-describedby="compose-help compose-wrong"
        onChange={(event) => setDraft({ ...draft, prompt: event.target.value })}
      />
      <p id="compose-help" className="soft small compose-help">
        Style, tempo, key, instruments, sections, length, mood: whatever you know. The rest is assumed, and told before
        anything is made.
      </p>
      <div className="compose-buttons">
        <button type="button" className="button" disabled={!says} onClick={() => hurry(draft)}>
          Understand
        </button>
        {draft.prompt === "" ? (
          <button type="button" className="button quiet" onClick={() => change({ ...draft, prompt: EXAMPLE })}>
            Example
          </button>
        ) : (
          <button
            type="button"
            className="button quiet"
            onClick={() => {
              setDraft(EMPTY);
              setFile(null);
              prompt.current?.focus();
            }}
          >
            Clear
          </button>
        )}
      </div>
      <ByModelField draft={draft} model={engines?.model} onChange={setDraft} />
      {error !== null && (
        <p id="compose-wrong" className="alert small" role="alert">
          {lineOf(error)}
        </p>
      )}
      <p className={told === null && !reading ? "unseen" : "compose-heard"} role="status">
        {told === null && reading && "Reading…"}
        {told !== null && current && musical(`${told.request["title"]}, ${told.request["bpm"]} BPM, ${clock(told.duration_s)}`)}
        {told !== null && !current && error === null && (reading || !draft.by_model ? "Reading…" : "Changed since it was read: ask to have it understood.")}
        {told !== null && error !== null && "As understood before:"}
      </p>
      {told !== null && (
        <>
          {(told.not_understood.length > 0 || told.remarks.length > 0) && (
            <ul className="compose-remarks small">
              {told.not_understood.length > 0 && <li>Not understood: {told.not_understood.join(", ")}</li>}
              {told.remarks.map((remark) => (
                <li key={remark}>{typeset(remarkOf(remark))}</li>
              ))}
            </ul>
          )}
          <Chosen draft={draft} onChange={change} />
          <Fields told={told} draft={draft} known={engines} onChange={change} onMove={setDraft} onWrong={setWrong} />
          <ReferenceField draft={draft} file={file} onChange={change} onFile={setFile} />
          <Readings readings={told.readings} />
          <TitleField draft={draft} onChange={setDraft} />
          <EngineField draft={draft} engines={engines} onChange={setDraft} />
          <SoundsField draft={draft} file={file} onChange={setDraft} />
          <div className="compose-send">
            {send.isError && (
              <p className="alert small" role="alert">
                {lineOf(send.error)}
              </p>
            )}
            <button
              type="button"
              className="button primary"
              disabled={wrong || lacks !== "" || error !== null || send.isPending}
              onClick={() => send.mutate()}
            >
              {send.isPending ? "Asking for it…" : "Compose"}
            </button>
          </div>
        </>
      )}
    </section>
  );
}
