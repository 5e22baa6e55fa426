import { useEffect, useRef, useState } from "react";
import { SideScroll } from "../design/SideScroll.tsx";
import { count } from "../format.ts";
import { useSettled } from "./settled.ts";
import { STATES, STATES_WORST_FIRST } from "./states.ts";
import "./toolbar.css";
import { type Sort, SORTS, sortedBy, type View } from "./view.ts";

const AFTER_KEYSTROKE_MS = 80;

interface Props {
  view: View;
  setView: (view: View) => void;
  total: number | null;
  /** Null as long as they are not known. */
  states: Record<string, number> | null;
}

export function Toolbar({ view, setView, total, states }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(view.search);
  const settled = useSettled(typed, AFTER_KEYSTROKE_MS);
  const asked = useRef(view.search);
  useEffect(() => {
    if (settled === asked.current) return;
    asked.current = settled;
    setView({ ...view, search: settled });
    // Only what was typed asks for it; another view must not bring the old words back.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  useEffect(() => {
    if (view.search === asked.current) return;
    asked.current = view.search; // changed from elsewhere
    setTyped(view.search);
  }, [view.search]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input, select, textarea, dialog")) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const all = states && Object.values(states).reduce((sum, number) => sum + number, 0);
  return (
    <div className="toolbar">
      <div className="toolbar-row">
        <search className="toolbar-search">
          <input
            ref={field}
            type="search"
            className="field"
            placeholder="Search title, artist, key…"
            aria-label="Search tracks"
            aria-keyshortcuts="/"
            maxLength={200}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </search>
        <label className="labelled small">
          <span className="soft">Order</span>
          <select
            className="field"
            value={view.sort}
            onChange={(event) => setView(sortedBy({ ...view, sort: "worst" }, event.target.value as Sort))}
          >
            {SORTS.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="button icon"
          onClick={() => setView({ ...view, descending: !view.descending })}
          aria-label={view.descending ? "Turn the order: now falling" : "Turn the order: now rising"}
          title="Turn the order round"
        >
          <span aria-hidden="true">{view.descending ? "↓" : "↑"}</span>
        </button>
        <output className="soft small figures toolbar-total">{total === null ? "" : count(total, "track")}</output>
      </div>
      <SideScroll>
        <fieldset className="states">
        <legend className="unseen">Only tracks that are</legend>
        <StateButton label="All" number={all} pressed={view.state === null} onPress={() => setView({ ...view, state: null })} />
        {STATES_WORST_FIRST.filter((state) => (states?.[state] ?? 0) > 0 || view.state === state).map((state) => (
          <StateButton
            key={state}
            label={STATES[state].label}
            meaning={STATES[state].meaning}
            number={states?.[state] ?? null}
            pressed={view.state === state}
            onPress={() => setView({ ...view, state: view.state === state ? null : state })}
          />
        ))}
        </fieldset>
      </SideScroll>
    </div>
  );
}

interface StateProps {
  label: string;
  meaning?: string;
  number: number | null;
  pressed: boolean;
  onPress: () => void;
}

function StateButton({ label, meaning, number, pressed, onPress }: StateProps) {
  return (
    <button type="button" className="button tight state" aria-pressed={pressed} onClick={onPress} title={meaning}>
      {label} {number !== null && <span className="figures state-number">{number.toLocaleString("en-GB")}</span>}
    </button>
  );
}
