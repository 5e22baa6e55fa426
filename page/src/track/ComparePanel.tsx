/** Before and after: numbers, the dimensions of quality control, and where the spectrum moved. */
import type { BeforeAfter, Dimension, SoundQuality, Track, Version } from "../api/schema.ts";
import { SideScroll } from "../design/SideScroll.tsx";
import { measure, moment, typeset } from "../format.ts";
import { Difference, type Pair, usePair } from "./Difference.tsx";
import { nameOf, title } from "./labels.ts";
import { MadeAnew } from "./MadeAnew.tsx";

export function ComparePanel({ track }: { track: Track }) {
  const { measures, dimensions, total } = track.quality;
  const pair = usePair(track);
  return (
    <div className="columns">
      {track.versions.length > 1 && <Difference track={track} pair={pair} />}
      {track.versions.length > 0 && <MadeAnew track={track} />}
      {measures.length > 0 && <Measures measures={measures} versions={track.versions} pair={pair} />}
      {dimensions.length > 0 && <Dimensions dimensions={dimensions} total={total} />}
      {track.music !== null && <Sound sound={track.music.sound} />}
      {track.versions.length < 2 && measures.length === 0 && dimensions.length === 0 && (
        <p className="soft">There is nothing to compare yet.</p>
      )}
    </div>
  );
}

/** What is known of each version by itself, by the measure's name. */
const OWN: Readonly<Record<string, (version: Version) => number | null>> = {
  loudness: (version) => version.loudness_lufs,
  "loudness range": (version) => version.loudness_range_lu,
  "true peak": (version) => version.true_peak_dbtp,
  bandwidth: (version) => version.bandwidth_hz,
};

interface MeasuresProps {
  measures: readonly BeforeAfter[];
  versions: readonly Version[];
  pair: Pair;
}

/** Of the original and the master, and beside them what is known of the recording restored, of earlier masters, and of
 * those that are compared. */
function Measures({ measures, versions, pair }: MeasuresProps) {
  const restored = versions.filter((version) => version.id === "restored_track");
  const others = versions.filter(
    (version) =>
      !["original", "restored_track", "master"].includes(version.id) &&
      ((version.group === "master" && !version.current) || version.id === pair.against || version.id === pair.heard?.id),
  );
  return (
    <section className="card block-card" aria-labelledby="measures">
      <h2 id="measures">In numbers</h2>
      <SideScroll>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col">Original</th>
              {restored.map((version) => (
                <Head key={version.id} version={version} />
              ))}
              <th scope="col">Master</th>
              <th scope="col">
                <span className="unseen">Verdict</span>
              </th>
              {others.map((version) => (
                <Head key={version.id} version={version} />
              ))}
            </tr>
          </thead>
          <tbody>
            {measures.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  {title(row.name)} <span className="small soft">{unitOf(row)}</span>
                </th>
                <td className="figures">{shown(row, row.before)}</td>
                {restored.map((version) => (
                  <Own key={version.id} row={row} version={version} />
                ))}
                <td className="figures">{shown(row, row.after)}</td>
                <td>
                  {row.better === true && <span className="badge good">better</span>}
                  {row.better === false && <span className="badge warning">worse</span>}
                </td>
                {others.map((version) => (
                  <Own key={version.id} row={row} version={version} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </SideScroll>
    </section>
  );
}

function Head({ version }: { version: Version }) {
  return (
    <th scope="col">
      {nameOf(version)}
      {!version.current && (
        <>
          <br />
          of {moment(version.made_at)}
        </>
      )}
    </th>
  );
}

function Own({ row, version }: { row: BeforeAfter; version: Version }) {
  return <td className="figures">{shown(row, OWN[row.name]?.(version) ?? null)}</td>;
}

function unitOf({ unit }: BeforeAfter): string {
  return unit === "Hz" ? "kHz" : unit;
}

function shown({ unit }: BeforeAfter, value: number | null): string {
  return measure(value === null || unit !== "Hz" ? value : value / 1000, "");
}

/** How the original sounds by itself. */
function Sound({ sound }: { sound: SoundQuality }) {
  if (sound.total === null) return null;
  return (
    <section className="card block-card" aria-labelledby="sound">
      <h2 id="sound">
        Sound of the original<span className="figures soft"> {Math.round(sound.total)} of 100</span>
      </h2>
      <Bars dimensions={sound.parts} />
    </section>
  );
}

const GOOD = 90;
const FAIR = 70;

function Dimensions({ dimensions, total }: { dimensions: readonly Dimension[]; total: number | null }) {
  return (
    <section className="card block-card" aria-labelledby="dimensions">
      <h2 id="dimensions">
        Likeness to the original{total !== null && <span className="figures soft"> {Math.round(total)} of 100</span>}
      </h2>
      <Bars dimensions={dimensions} />
    </section>
  );
}

function Bars({ dimensions }: { dimensions: readonly Dimension[] }) {
  return (
    <ul className="bars">
      {dimensions.map((dimension) => (
        <li key={dimension.name} title={typeset(dimension.detail)}>
          <span className="cut">{title(dimension.name)}</span>
          <svg className="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect className="bar-ground" width={100} height={8} />
            <rect className={levelOf(dimension.score)} width={Math.max(0, dimension.score)} height={8} />
          </svg>
          <span className="figures">
            {Math.round(dimension.score)}
            <span className="unseen"> of 100. {typeset(dimension.detail)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function levelOf(score: number): string {
  if (score >= GOOD) return "bar-good";
  return score >= FAIR ? "bar-fair" : "bar-poor";
}
