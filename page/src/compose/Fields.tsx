/** What can be chosen beside the words: each as it will be composed, and where it is from. */
import { type ReactNode, useEffect, useState } from "react";
import type { CompositionEngines, Understood } from "../api/schema.ts";
import { clock, count, spoken } from "../format.ts";
import { choosing, type Draft, LARGEST_SEED, nextSeed } from "./draft.ts";
import { FormField } from "./FormField.tsx";
import { MoodField } from "./MoodField.tsx";
import { PlayersField } from "./PlayersField.tsx";
import { originOfField, secondsOf, spelt } from "./told.ts";
import type { Section } from "./whole.ts";

const TONICS = ["C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B"];
const [SLOWEST, FASTEST] = [30, 300];
const [SHORTEST_S, LONGEST_S] = [5, 1800];
const MOST_BARS = 1024;

interface Props {
  told: Understood;
  draft: Draft;
  /** Undefined until they are known. */
  known: CompositionEngines | undefined;
  onChange: (draft: Draft) => void;
  /** The same, of what goes on changing. */
  onMove: (draft: Draft) => void;
  /** Whether something that is typed can't be. */
  onWrong: (wrong: boolean) => void;
}

interface Request {
  genre: string;
  bpm: number;
  key: string;
  metre: string;
  structure: Section[];
  mood: string[];
}

export function Fields({ told, draft, known, onChange, onMove, onWrong }: Props) {
  const request = told.request as unknown as Request;
  const [typed, setTyped] = useState<Typed>(NOTHING);
  const [inBars, setInBars] = useState(typeof draft.asked["bars"] === "number");
  const wrong = wrongOf(typed, inBars);
  const anyWrong = Object.values(wrong).some((line) => line !== null);
  useEffect(() => {
    onWrong(anyWrong);
    return () => onWrong(false);
  }, [anyWrong, onWrong]);

  const choose = (chosen: Record<string, unknown>) => onChange(choosing(draft, chosen));
  const type = (name: keyof Typed, text: string, take: (text: string) => void) => {
    const now = { ...typed, [name]: text };
    setTyped(now);
    if (wrongOf(now, inBars)[name] === null) take(text);
  };
  // What is right is shown as it was taken; what is wrong stays, with the line that says why.
  const leave = (name: keyof Typed) => {
    if (wrong[name] === null) setTyped({ ...typed, [name]: null });
  };
  const letGo = (...fields: string[]) => {
    if (!fields.some((field) => field in draft.asked)) return undefined;
    return () => {
      setTyped(NOTHING);
      choose(Object.fromEntries(fields.map((field) => [field, undefined])));
    };
  };
  const origin = (...fields: string[]) => {
    if (fields.some((field) => told.contradictory.includes(field))) return "assumed: the words contradict each other";
    if (fields.some((field) => told.invalid.includes(field))) return "assumed: what the words say can’t be";
    return originOfField(told.readings, ...fields);
  };

  const [tonic = "C", mode = "major"] = request.key.split(" ");
  const ownForm = "sections" in draft.asked;
  const bars = request.structure.reduce((sum, section) => sum + section.bars, 0);
  return (
    <div className="compose-fields">
      <Field id="genre" label="Genre" wide origin={origin("genre")} onLetGo={letGo("genre")}>
        <select id="compose-genre" className="field" aria-describedby="compose-genre-told" value={request.genre} onChange={(event) => choose({ genre: event.target.value })}>
          {(known?.genres ?? [request.genre]).map((genre) => (
            <option key={genre} value={genre}>
              {spelt(genre)}
            </option>
          ))}
        </select>
      </Field>
      <Field id="tonic" label="Key" wide origin={origin("key")} onLetGo={letGo("key")}>
        <span className="compose-pair">
          <select
            id="compose-tonic"
            className="field"
            aria-label="Key, tonic"
            aria-describedby="compose-tonic-told"
            value={tonic}
            onChange={(event) => choose({ key: `${event.target.value} ${mode}` })}
          >
            {(TONICS.includes(tonic) ? TONICS : [tonic, ...TONICS]).map((name) => (
              <option key={name} value={name}>
                {spoken(name)}
              </option>
            ))}
          </select>
          <select className="field" aria-label="Key, mode" value={mode} onChange={(event) => choose({ key: `${tonic} ${event.target.value}` })}>
            {(known?.modes ?? [mode]).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </span>
      </Field>
      <Field id="bpm" label="Tempo (BPM)" origin={origin("bpm")} wrong={wrong.bpm} onLetGo={letGo("bpm")}>
        <input
          id="compose-bpm"
          className="field"
          inputMode="decimal"
          autoComplete="off"
          aria-describedby="compose-bpm-told"
          aria-invalid={wrong.bpm !== null}
          value={typed.bpm ?? String(Math.round(request.bpm * 100) / 100)}
          onChange={(event) => type("bpm", event.target.value, (text) => choose({ bpm: [Number(text), Number(text)] }))}
          onBlur={() => leave("bpm")}
        />
      </Field>
      <Field id="metre" label="Metre" origin={origin("metre")} onLetGo={letGo("metre")}>
        <select id="compose-metre" className="field" aria-describedby="compose-metre-told" value={request.metre} onChange={(event) => choose({ metre: event.target.value })}>
          {(known?.metres ?? [request.metre]).map((metre) => (
            <option key={metre}>{metre}</option>
          ))}
        </select>
      </Field>
      <MoodField chosen={request.mood} moods={known?.moods ?? []} origin={origin("mood")} onChoose={(mood) => choose({ mood })} onLetGo={letGo("mood")} />
      <Field
        id="length"
        wide
        label={inBars ? "Length (bars)" : "Length (min:s)"}
        origin={[ownForm ? "of your form" : origin("bars", "duration_s"), inBars ? clock(told.duration_s) : count(bars, "bar")].filter(Boolean).join(" · ")}
        wrong={wrong.length}
        onLetGo={letGo("bars", "duration_s")}
      >
        <span className="compose-pair">
          <input
            id="compose-length"
            className="field"
            inputMode={inBars ? "numeric" : "text"}
            autoComplete="off"
            aria-describedby="compose-length-told"
            aria-invalid={wrong.length !== null}
            value={typed.length ?? (inBars ? String(bars) : clock(told.duration_s))}
            onChange={(event) =>
              type("length", event.target.value, (text) =>
                choose({ sections: undefined, ...(inBars ? { bars: Number(text), duration_s: null } : { bars: null, duration_s: secondsOf(text) }) }),
              )
            }
            onBlur={() => leave("length")}
          />
          <button
            type="button"
            className="button tight"
            onClick={() => {
              setTyped({ ...typed, length: null });
              setInBars(!inBars);
            }}
          >
            <span className="unseen">Length </span>
            {inBars ? "in min:s" : "in bars"}
          </button>
        </span>
      </Field>
      <FormField draft={draft} composed={request.structure} names={known?.sections ?? []} origin={origin("structure")} onChange={onChange} onMove={onMove} />
      <PlayersField draft={draft} composed={told.players} instruments={known?.instruments ?? []} origin={origin("instruments")} onChange={onChange} />
      <Field id="seed" label="Seed" wide origin="the same words and seed: the same music" wrong={wrong.seed}>
        <span className="compose-pair">
          <input
            id="compose-seed"
            className="field"
            inputMode="numeric"
            autoComplete="off"
            aria-describedby="compose-seed-told"
            aria-invalid={wrong.seed !== null}
            value={typed.seed ?? String(draft.seed)}
            onChange={(event) => type("seed", event.target.value, (text) => onChange({ ...draft, seed: Number(text) }))}
            onBlur={() => leave("seed")}
          />
          <button
            type="button"
            className="button"
            onClick={() => {
              setTyped({ ...typed, seed: null });
              onChange({ ...draft, seed: nextSeed(draft.seed) });
            }}
          >
            Another<span className="unseen"> seed</span>
          </button>
        </span>
      </Field>
    </div>
  );
}

/** What stands in a field while it is typed; null where what will be composed stands there. */
interface Typed {
  bpm: string | null;
  length: string | null;
  seed: string | null;
}

const NOTHING: Typed = { bpm: null, length: null, seed: null };
const DIGITS = /^\d+$/;

function within(value: number | null, from: number, to: number): boolean {
  return value !== null && value >= from && value <= to;
}

/** Why what is typed can't be, one line each. */
function wrongOf({ bpm, length, seed }: Typed, inBars: boolean): Record<keyof Typed, string | null> {
  const isBpm = bpm === null || (/^\d+(\.\d+)?$/.test(bpm) && within(Number(bpm), SLOWEST, FASTEST));
  const isLength =
    length === null ||
    (inBars ? DIGITS.test(length) && within(Number(length), 1, MOST_BARS) : within(secondsOf(length), SHORTEST_S, LONGEST_S));
  const isSeed = seed === null || (DIGITS.test(seed) && Number(seed) <= LARGEST_SEED);
  return {
    bpm: isBpm ? null : `A tempo is ${SLOWEST} to ${FASTEST} BPM`,
    length: isLength ? null : inBars ? `A length is 1 to ${MOST_BARS} bars` : "A length is 0:05 to 30:00, as minutes:seconds",
    seed: isSeed ? null : `A seed is a whole number from 0 to ${LARGEST_SEED}`,
  };
}

interface FieldProps {
  id: string;
  label: string;
  origin: string;
  wide?: boolean;
  wrong?: string | null;
  /** Undefined where nothing was chosen. */
  onLetGo?: (() => void) | undefined;
  children: ReactNode;
}

export function Field({ id, label, origin, wide = false, wrong = null, onLetGo, children }: FieldProps) {
  return (
    <div className={wide ? "compose-field wide" : "compose-field"}>
      <label htmlFor={`compose-${id}`}>{label}</label>
      {children}
      <p id={`compose-${id}-told`} className="small soft" role={wrong === null ? undefined : "alert"}>
        {wrong === null ? origin : <span className="compose-wrong">{wrong}</span>}
        {wrong === null && onLetGo !== undefined && (
          <button type="button" className="compose-undo" onClick={onLetGo}>
            Undo<span className="unseen"> choice of {label}</span>
          </button>
        )}
      </p>
    </div>
  );
}
