/** Before and after: numbers, the twelve dimensions, and where the spectrum moved. */
import type { BeforeAfter, Dimension, Track } from "../api/schema.ts";
import { measure } from "../format.ts";
import { Difference } from "./Difference.tsx";
import { title } from "./labels.ts";

export function ComparePanel({ track }: { track: Track }) {
  const { measures, dimensions, total } = track.quality;
  return (
    <div className="columns">
      {track.versions.length > 1 && <Difference track={track} />}
      {measures.length > 0 && <Measures measures={measures} />}
      {dimensions.length > 0 && <Dimensions dimensions={dimensions} total={total} />}
      {track.versions.length < 2 && measures.length === 0 && dimensions.length === 0 && (
        <p className="soft">There is nothing to compare yet.</p>
      )}
    </div>
  );
}

function Measures({ measures }: { measures: readonly BeforeAfter[] }) {
  return (
    <section className="card block-card" aria-labelledby="measures">
      <h2 id="measures">In numbers</h2>
      <div className="scrolled">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col">Original</th>
              <th scope="col">Master</th>
              <th scope="col">
                <span className="unseen">Verdict</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {measures.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  {title(row.name)} <span className="small soft">{unitOf(row)}</span>
                </th>
                <td className="figures">{shown(row, row.before)}</td>
                <td className="figures">{shown(row, row.after)}</td>
                <td>
                  {row.better === true && <span className="badge good">better</span>}
                  {row.better === false && <span className="badge warning">worse</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function unitOf({ unit }: BeforeAfter): string {
  return unit === "Hz" ? "kHz" : unit;
}

function shown({ unit }: BeforeAfter, value: number | null): string {
  return measure(value === null || unit !== "Hz" ? value : value / 1000, "");
}

/** Those whose name says how they are measured, by what they tell. */
const DIMENSIONS: Readonly<Record<string, string>> = {
  "mel spectrogram correlation": "Tone over time",
  "rms per section": "Level of sections",
  "bpm phase": "Place of beats",
  "timbre mfcc": "Timbre",
  "section boundaries": "Places of sections",
};

const GOOD = 90;
const FAIR = 70;

function Dimensions({ dimensions, total }: { dimensions: readonly Dimension[]; total: number | null }) {
  return (
    <section className="card block-card" aria-labelledby="dimensions">
      <h2 id="dimensions">
        Likeness to the original{total !== null && <span className="figures soft"> {Math.round(total)} of 100</span>}
      </h2>
      <ul className="bars">
        {dimensions.map((dimension) => (
          <li key={dimension.name} title={dimension.detail}>
            <span className="cut">{DIMENSIONS[dimension.name] ?? title(dimension.name)}</span>
            <svg className="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect className="bar-ground" width={100} height={8} />
              <rect className={levelOf(dimension.score)} width={Math.max(0, dimension.score)} height={8} />
            </svg>
            <span className="figures">
              {Math.round(dimension.score)}
              <span className="unseen"> of 100. {dimension.detail}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function levelOf(score: number): string {
  if (score >= GOOD) return "bar-good";
  return score >= FAIR ? "bar-fair" : "bar-poor";
}
