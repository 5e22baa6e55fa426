/** What can be taken away: single files as they are, or one archive as it is wanted. */
import type { Track } from "../api/schema.ts";
import { measure, size } from "../format.ts";
import { useRemembered } from "../remembered.ts";
import { fullName, inOrder, midiName, nameOf } from "./labels.ts";

const FORMATS = ["wav", "flac", "mp3", "m4a", "opus"] as const;
const BITS = [16, 24, 32] as const;
const BITS_OF_FLAC = [16, 24] as const; // it holds no floating point
const RATES = [44_100, 48_000] as const;

interface Wanted {
  what: readonly string[];
  format: (typeof FORMATS)[number];
  bits: (typeof BITS)[number];
  rate: (typeof RATES)[number] | null;
}

const USUAL: Wanted = { what: ["master", "stems"], format: "wav", bits: 24, rate: null };
const PARTS: readonly [string, string, readonly string[]][] = [
  // name in the archive's address, for a person, stages that have it
  ["master", "Masters", ["master"]],
  ["mix", "Mix", ["mix"]],
  ["stems", "Stems, as separated", ["stems"]],
  ["restored_stems", "Stems, restored", ["restored_stems"]],
  ["regenerated_stems", "Stems, played anew", ["regenerated_stems"]],
  ["midi", "MIDI", ["midi"]],
];

export function ExportPanel({ track }: { track: Track }) {
  const [wanted, setWanted] = useRemembered<Wanted>("export", USUAL);
  const made = new Set(track.stages.map((stage) => stage.stage));
  const parts = PARTS.filter(([, , stages]) => stages.some((stage) => made.has(stage)));
  const what = parts.map(([name]) => name).filter((name) => wanted.what.includes(name));
  const generated = new Set(track.versions.filter((version) => version.generated).map((version) => version.id.split(":")[0]));
  const set = (some: Partial<Wanted>) => setWanted({ ...wanted, ...some });
  const depths: readonly Wanted["bits"][] = wanted.format === "flac" ? BITS_OF_FLAC : BITS;
  const lossless = wanted.format === "wav" || wanted.format === "flac";
  const midi = track.stages.find((stage) => stage.stage === "midi")?.results.filter((result) => result.name.endsWith(".mid")) ?? [];
  return (
    <div className="columns">
      <section className="card block-card" aria-labelledby="archive">
        <h2 id="archive">One archive</h2>
        <fieldset className="choices">
          <legend className="small soft">What</legend>
          {parts.map(([name, label]) => (
            <label key={name} className="labelled">
              <input
                type="checkbox"
                checked={wanted.what.includes(name)}
                onChange={(event) =>
                  set({ what: event.target.checked ? [...wanted.what, name] : wanted.what.filter((one) => one !== name) })
                }
              />
              {label}
              {generated.has(name) && <span className="badge active">Synthesised</span>}
            </label>
          ))}
        </fieldset>
        <div className="export-fields">
          <Choice label="Format" value={wanted.format} options={FORMATS} shown={(one) => one.toUpperCase()} onChange={(format) => set({ format, bits: format === "flac" && wanted.bits === 32 ? 24 : wanted.bits })} />
          {lossless && <Choice label="Bits" value={wanted.bits} options={depths} shown={bitsOf} onChange={(bits) => set({ bits })} />}
          <Choice label="Rate" value={wanted.rate} options={[null, ...RATES]} shown={rateOf} onChange={(rate) => set({ rate })} />
        </div>
        {what.length === 0 ? (
          <p className="soft small">{parts.length === 0 ? "There is nothing to export yet." : "Choose at least one part."}</p>
        ) : (
          <a className="button primary" href={addressOf(track.summary.track, { ...wanted, what })} download>
            Download the archive
          </a>
        )}
      </section>
      <section className="card block-card" aria-labelledby="files">
        <h2 id="files">Single files, as they are</h2>
        <ul className="files">
          {inOrder(track.versions).map((version) => (
            <li key={version.id}>
              <a href={version.url} download>
                {version.group === "stems" ? `${nameOf(version)}, as separated` : fullName(version)}
              </a>{" "}
              {version.generated && <span className="badge active">Synthesised</span>}{" "}
              <span className="soft small figures">
                {measure(version.sample_rate / 1000, "kHz")}
                {version.channels === 1 ? ", mono" : ""}
              </span>
            </li>
          ))}
          {midi.map((result) => (
            <li key={result.url}>
              <a href={result.url} download>
                {midiName(result.name)}
              </a>{" "}
              <span className="soft small figures">{size(result.size)}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

interface ChoiceProps<T> {
  label: string;
  value: T;
  options: readonly T[];
  shown: (option: T) => string;
  onChange: (option: T) => void;
}

function Choice<T>({ label, value, options, shown, onChange }: ChoiceProps<T>) {
  return (
    <label className="labelled small">
      {label}
      <select
        className="field"
        value={options.indexOf(value)}
        onChange={(event) => onChange(options[Number(event.target.value)] as T)}
      >
        {options.map((option, index) => (
          <option key={shown(option)} value={index}>
            {shown(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

function bitsOf(bits: number): string {
  return bits === 32 ? "32 (float)" : String(bits);
}

function rateOf(rate: number | null): string {
  return rate === null ? "as they are" : `${rate / 1000} kHz`;
}

export function addressOf(track: string, { what, format, bits, rate }: Wanted): string {
  const asked = new URLSearchParams({ what: what.join(","), format });
  if (format === "wav" || format === "flac") asked.set("bits", String(bits));
  if (rate !== null) asked.set("rate", String(rate));
  return `/api/v1/tracks/${encodeURIComponent(track)}/archive?${asked}`;
}
