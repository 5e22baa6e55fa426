/** The spectrum of what is heard against another version's, octave by octave, at equal loudness. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import type { Spectrum, Track, Version } from "../api/schema.ts";
import { clock, measure } from "../format.ts";
import { fullName, inOrder } from "./labels.ts";
import { usePlayerState } from "./usePlayer.ts";

const LATER_MS = 30_000;
const DRAWN_FIRST_MS = 1000; // what is on top of the page, before what is below

export interface Pair {
  /** The version that what is heard is compared with. */
  against: string;
  heard: Version | undefined;
  setAgainst: (version: string) => void;
}

/** What is heard, or else a master, against the version that is chosen: at first the original. */
export function usePair(track: Track): Pair {
  const state = usePlayerState();
  const [against, setAgainst] = useState("original");
  const ordered = inOrder(track.versions);
  const playing = state.mixing ? "mix" : state.version;
  const other = ordered.find((version) => version.id !== against);
  const heard = playing === against ? (ordered.find((one) => one.group === "master" && one.id !== against) ?? other) : ordered.find((one) => one.id === playing);
  return { against, heard, setAgainst };
}

export function Difference({ track, pair }: { track: Track; pair: Pair }) {
  const { region } = usePlayerState();
  const { against, heard, setAgainst } = pair;
  const ordered = inOrder(track.versions);
  const a = against;
  const b = heard?.id ?? against;
  const drawn = useLater(DRAWN_FIRST_MS);
  const spectrum = useQuery({
    queryKey: ["track", track.summary.track, "spectrum", a, b, region],
    enabled: a !== b && drawn,
    placeholderData: keepPreviousData,
    staleTime: LATER_MS,
    queryFn: () =>
      answer(
        api.GET("/api/v1/tracks/{track}/spectrum", {
          params: { path: { track: track.summary.track }, query: { a, b, ...region } },
        }),
      ),
  });
  if (heard === undefined) return null;
  return (
    <section className="card block-card" aria-labelledby="difference">
      <h2 id="difference">Difference by octave</h2>
      <label className="labelled">
        {fullName(heard)} against
        <select className="field tight" value={against} onChange={(event) => setAgainst(event.target.value)}>
          {ordered.map((version) => (
            <option key={version.id} value={version.id}>
              {fullName(version)}
            </option>
          ))}
        </select>
      </label>
      <p className="small soft">
        {region === null ? "" : `${clock(region.start_s)} to ${clock(region.end_s)}. `}Compared at equal loudness
        {loudness(spectrum.data?.loudness_difference_lu ?? null, fullName(heard))}.
      </p>
      {spectrum.isError && <p role="alert">{lineOf(spectrum.error)}</p>}
      {spectrum.data === undefined ? <p className="soft small">{spectrum.isError ? "" : "Measuring…"}</p> : <Octaves spectrum={spectrum.data} />}
    </section>
  );
}

/** Whether so long has passed. */
function useLater(milliseconds: number): boolean {
  const [later, setLater] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLater(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return later;
}

const HEIGHT = 150;
const COLUMN = 40;
const ALIKE_DB = 0.05; // what is shown as 0.0
const LEAST_DB = 3; // full height, where nothing moved more

function Octaves({ spectrum }: { spectrum: Spectrum }) {
  const { octaves_hz, difference_db } = spectrum;
  const moved = Math.max(0, ...difference_db.map((level) => Math.abs(level ?? 0)));
  const most = Math.max(LEAST_DB, moved);
  const middle = HEIGHT / 2;
  const width = octaves_hz.length * COLUMN;
  return (
    <figure className="octaves">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={told(spectrum)}>
        <line className="axis" x1={0} x2={width} y1={middle} y2={middle} />
        {octaves_hz.map((hertz, index) => {
          const level = difference_db[index] ?? null;
          const x = index * COLUMN;
          const reach = level === null ? 0 : (Math.abs(level) / most) * (middle - 30);
          const up = (level ?? 0) >= 0;
          return (
            <g key={hertz}>
              <rect className={up ? "octave-more" : "octave-less"} x={x + 7} width={COLUMN - 14} y={up ? middle - reach : middle} height={reach} rx={2} />
              <text className="octave-level" x={x + COLUMN / 2} y={up ? middle - reach - 5 : middle + reach + 12}>
                {level === null ? "–" : signed(level)}
              </text>
              <text className="octave-name" x={x + COLUMN / 2} y={HEIGHT - 3}>
                {frequency(hertz)}
              </text>
            </g>
          );
        })}
      </svg>
      <figcaption className="small soft">
        {moved < ALIKE_DB ? "No octave is louder or softer than before." : "dB more or less, by octave in Hz"}
      </figcaption>
    </figure>
  );
}

/** lu: of b less a. */
function loudness(lu: number | null, name: string): string {
  if (lu === null || Math.abs(lu) < 0.05) return "";
  return `; as it is, ${name} is ${measure(Math.abs(lu), "LU")} ${lu > 0 ? "louder" : "softer"}`;
}

function signed(level: number): string {
  return `${level >= 0.05 ? "+" : ""}${level.toFixed(1)}`.replace("-", "−").replace("−0.0", "0.0");
}

function frequency(hertz: number): string {
  return hertz >= 1000 ? `${Math.round(hertz / 1000)}k` : String(Math.round(hertz));
}

function told({ octaves_hz, difference_db }: Spectrum): string {
  const parts = octaves_hz.map((hertz, index) => {
    const level = difference_db[index] ?? null;
    return `${frequency(hertz)} hertz ${level === null ? "unknown" : `${signed(level)} decibels`}`;
  });
  return `Difference by octave: ${parts.join(", ")}`;
}
