/** What is known of the music, in the view: sections, chords, beats and the ruler. */
import { memo } from "react";
import type { Chord, Music, Section } from "../../api/schema.ts";
import { Musical } from "../../design/Musical.tsx";
import { percent, spoken } from "../../format.ts";
import { firstNotBefore } from "../../player/snap.ts";
import { rulerClock } from "./rulerClock.ts";
import { type View, marks, toPixels } from "./view.ts";

interface Props {
  view: View;
  width: number;
}

const LEGIBLE = 18; // pixels a chord needs to be read
const APART = 9; // pixels between beats that are told apart

export const Ruler = memo(function Ruler({ view, width }: Props) {
  const { step, times } = marks(view, width);
  return (
    <div className="ruler" aria-hidden="true">
      {times.map((time) => (
        <span key={time} className="ruler-mark figures" style={{ left: `${toPixels(time, view, width)}px` }}>
          {rulerClock(time, step)}
        </span>
      ))}
    </div>
  );
});

export const Beats = memo(function Beats({ view, width, music }: Props & { music: Music }) {
  const beats = inView(music.beats_s, view);
  const downbeats = inView(music.downbeats_s, view);
  const lines = (times: readonly number[], kind: string) =>
    width / Math.max(1, times.length) >= APART && times.length > 0 ? (
      <path className={kind} d={times.map((time) => `M${toPixels(time, view, width).toFixed(1)} 0v100`).join("")} />
    ) : null;
  return (
    <svg className="beats" viewBox={`0 0 ${Math.max(1, width)} 100`} preserveAspectRatio="none" aria-hidden="true">
      {lines(beats, "beat")}
      {lines(downbeats, "downbeat")}
    </svg>
  );
});

interface Marked {
  start_s: number;
  end_s: number;
  label: string;
}

interface SectionsProps extends Props {
  sections: readonly Section[];
  onChoose: (section: Section) => void;
}

export const Sections = memo(function Sections({ view, width, sections, onChoose }: SectionsProps) {
  return (
    <div className="lane sections" role="group" aria-label="Sections">
      {visible(sections, view).map((section) => (
        <button
          key={section.start_s}
          type="button"
          className="block section"
          style={placed(section, view, width)}
          title={`Section ${section.label}${hinted(section)}: choose it as region`}
          onClick={() => onChoose(section)}
        >
          <span className="cut">
            {section.label}
            {section.name !== null && (
              <span className="section-name">
                {" "}
                {section.name.replaceAll("_", " ")}
                {!planned(section) && "?"}
              </span>
            )}
          </span>
        </button>
      ))}
    </div>
  );
});

export const Chords = memo(function Chords({ view, width, chords }: Props & { chords: readonly Chord[] }) {
  const shown = visible(chords, view);
  if (shown.length * LEGIBLE > width) {
    return <div className="lane chords soft small">Chords are shown when you zoom in</div>;
  }
  return (
    <div className="lane chords" role="group" aria-label="Chords">
      {shown.map((chord) => (
        <span key={chord.start_s} className="block chord" style={placed(chord, view, width)} title={spoken(chord.label)}>
          <span className="cut">
            <Musical text={chord.label} />
          </span>
        </span>
      ))}
    </div>
  );
});

/** Of a composed track, whose plan names its sections: no guess is that sure. */
const planned = ({ name_confidence }: Section) => name_confidence === 1;

/** What a section is called, or may be, and how sure that is. */
function hinted(section: Section): string {
  const { name, name_confidence, confidence } = section;
  if (name === null) return begins(confidence);
  const article = /^[aeiou]/.test(name) ? "an" : "a";
  const words = `${article} ${name.replaceAll("_", " ")}`;
  if (planned(section)) return `, ${words} by its plan`;
  return `, perhaps ${words} (${percent(name_confidence)} sure)${begins(confidence)}`;
}

function begins(confidence: number | null): string {
  return confidence === null ? "" : `, begins here (${percent(confidence)} sure)`;
}

function visible<T extends Marked>(marked: readonly T[], view: View): T[] {
  return marked.filter((one) => one.end_s > view.start_s && one.start_s < view.end_s);
}

function inView(times: readonly number[], view: View): readonly number[] {
  return times.slice(firstNotBefore(view.start_s, times), firstNotBefore(view.end_s, times));
}

function placed(marked: Marked, view: View, width: number) {
  const left = Math.max(0, toPixels(marked.start_s, view, width));
  const right = Math.min(width, toPixels(marked.end_s, view, width));
  return { left: `${left}px`, width: `${Math.max(1, right - left - 1)}px` };
}
