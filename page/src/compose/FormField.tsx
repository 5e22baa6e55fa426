import { useState } from "react";
import { count, percent } from "../format.ts";
import { choosing, type Draft } from "./draft.ts";
import { sectionName } from "./told.ts";
import { ActButton, Rowed, useFollowing } from "./Rowed.tsx";
import { choosingSections, formLine, MOST_BARS, MOST_SECTIONS, moved, type Section, sectionsOf, withSection } from "./whole.ts";

interface Props {
  draft: Draft;
  composed: readonly Section[];
  /** Names that sections can have. */
  names: readonly string[];
  origin: string;
  onChange: (draft: Draft) => void;
  /** While a slider is moved: nobody is asked at each step. */
  onMove: (draft: Draft) => void;
}

/** Every section, with its bars and energy. */
export function FormField({ draft, composed, names, origin, onChange, onMove }: Props) {
  const sections = sectionsOf(draft, composed);
  const { list, follow } = useFollowing(sections.length);
  const chosen = "sections" in draft.asked;
  const choose = (now: readonly Section[] | undefined) => onChange(choosing(draft, choosingSections(now)));
  const put = (at: number, some: Partial<Section>) => sections.map((section, place) => (place === at ? { ...section, ...some } : section));
  const bars = sections.reduce((sum, section) => sum + section.bars, 0);
  return (
    <Rowed id="form" label="Form" line={formLine(sections)} origin={chosen ? "your choice" : origin} onLetGo={chosen ? () => choose(undefined) : undefined}>
      <ol ref={list} className="compose-rowed">
        {sections.map((section, at) => {
          const name = `${sectionName(section.name)}, section ${at + 1}`;
          return (
            // oxlint-disable-next-line react/no-array-index-key -- a section has nothing but its place to be known by
            <li key={at}>
              <select className="field tight" aria-label={`Section ${at + 1}`} value={section.name} onChange={(event) => choose(put(at, { name: event.target.value }))}>
                {(names.includes(section.name) ? names : [section.name, ...names]).map((one) => (
                  <option key={one} value={one}>
                    {sectionName(one)}
                  </option>
                ))}
              </select>
              <Bars name={name} value={section.bars} onTake={(now) => choose(put(at, { bars: now }))} />
              <label className="compose-energy small">
                <span className="unseen">Energy of {name}</span>
                <span aria-hidden="true">Energy</span>
                <input
                  type="range"
                  className="slider"
                  min={0}
                  max={1}
                  step={0.05}
                  value={section.energy}
                  aria-valuetext={percent(section.energy)}
                  onChange={(event) => onMove(choosing(draft, choosingSections(put(at, { energy: event.target.valueAsNumber }))))}
                />
              </label>
              <span className="compose-acts">
                {(["up", "down"] as const).map((act) => {
                  const to = at + (act === "up" ? -1 : 1);
                  return (
                    <ActButton
                      key={act}
                      act={act}
                      name={`Move ${name}, ${act}`}
                      disabled={to < 0 || to >= sections.length}
                      onClick={() => {
                        choose(moved(sections, at, to));
                        follow(to, act, `${sectionName(section.name)} is section ${to + 1} now`);
                      }}
                    />
                  );
                })}
                <ActButton
                  act="remove"
                  name={`Leave out ${name}`}
                  disabled={sections.length === 1}
                  onClick={() => {
                    choose(sections.toSpliced(at, 1));
                    follow(at, "remove", `${sectionName(section.name)} is left out`);
                  }}
                />
              </span>
            </li>
          );
        })}
      </ol>
      <p className="compose-pair small">
        <select
          className="field tight"
          aria-label="Add a section"
          value=""
          disabled={sections.length >= MOST_SECTIONS}
          onChange={(event) => choose(withSection(sections, event.target.value))}
        >
          <option value="">Add a section…</option>
          {names.map((one) => (
            <option key={one} value={one}>
              {sectionName(one)}
            </option>
          ))}
        </select>
        <span className="soft">{count(bars, "bar")}</span>
      </p>
    </Rowed>
  );
}

interface BarsProps {
  name: string;
  value: number;
  onTake: (bars: number) => void;
}

/** What can't be stands with its line until the field is left; then the section is as long as it was. */
function Bars({ name, value, onTake }: BarsProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const right = typed === null || (/^\d+$/.test(typed) && Number(typed) >= 1 && Number(typed) <= MOST_BARS);
  return (
    <label className="compose-bars small">
      <span className="unseen">Bars of {name}</span>
      <input
        className="field tight"
        inputMode="numeric"
        autoComplete="off"
        aria-invalid={!right}
        value={typed ?? String(value)}
        onChange={(event) => {
          const text = event.target.value;
          setTyped(text);
          if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MOST_BARS) onTake(Number(text));
        }}
        onBlur={() => setTyped(null)}
      />
      <span aria-hidden="true">bars</span>
      {!right && (
        <span className="compose-wrong" role="alert">
          1 to {MOST_BARS}
        </span>
      )}
    </label>
  );
}
