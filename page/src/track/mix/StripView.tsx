import { useId } from "react";
import type { Version } from "../../api/schema.ts";
import { title } from "../labels.ts";
import { HIGHEST_DB, LOWEST_DB, type StemStrip, WIDEST, levelText } from "./mixer.ts";

const KINDS: Partial<Record<Version["group"], string>> = {
  stems: "as separated",
  restored: "restored",
  regenerated: "played anew",
};

interface Props {
  strip: StemStrip;
  members: readonly Version[];
  /** By `mix`. */
  moved_db: number;
  /** Whether there are notes of it. */
  written: boolean;
  onChange: (some: Partial<StemStrip>) => void;
}

export function StripView({ strip, members, moved_db, written, onChange }: Props) {
  const name = useId();
  const heard = members.find((version) => version.id === strip.version);
  return (
    <div className="card strip" role="group" aria-labelledby={name}>
      <div className="strip-head">
        <h3 id={name}>{title(strip.stem)}</h3>
        {heard?.generated && <span className="badge active">Synthesised</span>}
      </div>
      <select
        className="field tight"
        aria-label={`${title(strip.stem)}: version`}
        value={strip.version}
        onChange={(event) => onChange({ version: event.target.value })}
      >
        {members.map((version) => (
          <option key={version.id} value={version.id}>
            {KINDS[version.group] ?? version.label}
          </option>
        ))}
      </select>
      <div className="strip-buttons">
        <Switch label="Mute" on={strip.mute} onChange={(mute) => onChange({ mute })} />
        <Switch label="Solo" on={strip.solo} onChange={(solo) => onChange({ solo })} />
      </div>
      <Slider
        label="Level"
        value={strip.level_db}
        lowest={LOWEST_DB}
        highest={HIGHEST_DB}
        step={0.5}
        shown={levelText(strip.level_db)}
        onChange={(level_db) => onChange({ level_db })}
      />
      <p className="small soft figures">The mix: {levelText(moved_db)}</p>
      <Slider
        label="Width"
        value={strip.width}
        lowest={0}
        highest={WIDEST}
        step={0.05}
        shown={`${Math.round(strip.width * 100)} %`}
        onChange={(width) => onChange({ width })}
      />
      {written && (
        <div className="strip-buttons">
          <Switch label="Show notes" on={strip.notesSeen} onChange={(notesSeen) => onChange({ notesSeen })} />
          <Switch label="Play notes" on={strip.notesHeard} onChange={(notesHeard) => onChange({ notesHeard })} />
        </div>
      )}
    </div>
  );
}

function Switch({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <button type="button" className="button tight" aria-pressed={on} onClick={() => onChange(!on)}>
      {label}
    </button>
  );
}

interface SliderProps {
  label: string;
  value: number;
  lowest: number;
  highest: number;
  step: number;
  shown: string;
  onChange: (value: number) => void;
}

function Slider({ label, value, lowest, highest, step, shown, onChange }: SliderProps) {
  return (
    <label className="strip-slider small">
      <span>
        {label} <span className="figures soft">{shown}</span>
      </span>
      <input
        type="range"
        className="slider"
        min={lowest}
        max={highest}
        step={step}
        value={value}
        aria-valuetext={shown}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </label>
  );
}
