/** Versions by the names that people have for them. */
import type { Version } from "../api/schema.ts";
import { measure, moment, words } from "../format.ts";
import { sentence } from "../stages.ts";

export type Group = Version["group"];

export const GROUPS: readonly [Group, string][] = [
  ["original", "Original"],
  ["mix", "Mix"],
  ["master", "Masters"],
  ["restored", "Restored"],
  ["stems", "Stems, as separated"],
  ["regenerated", "Played anew"],
];

const OF_STEM: Partial<Record<Group, string>> = { restored: "restored", regenerated: "played anew" };

/** Unmistakable without its group: "vocals, restored". */
export function nameOf(version: Version): string {
  const kind = OF_STEM[version.group];
  if (version.stem === null) return version.label;
  return kind === undefined || version.label.includes(kind) ? version.label : `${version.label}, ${kind}`;
}

/** Unmistakable among results of all briefs: "Master of 26 Nov 2026, 10:00 (−14.0 LUFS)". */
export function fullName(version: Version): string {
  if (version.current) return nameOf(version);
  const loudness = version.loudness_lufs === null ? "" : ` (${measure(version.loudness_lufs, "LUFS")})`;
  return `${nameOf(version)} of ${moment(version.made_at)}${loudness}`;
}

const KEYED: readonly Group[] = ["original", "mix", "master"];
const STEMS = ["vocals", "drums", "bass", "other", "piano", "guitar"];
const FIRST: readonly Group[] = ["restored", "stems"]; // as `mix` takes them

/** Key → the version it lets one hear. 1, 2, 3 are original, mix and master, 4 to 9 the stems as they went into the mix,
 * whether all of them are there or not. Earlier results have none. */
export function keysOf(versions: readonly Version[]): ReadonlyMap<string, Version> {
  const current = inOrder(versions).filter((version) => version.current);
  const found = [
    ...KEYED.map((group) => current.find((version) => version.group === group)),
    ...STEMS.map((stem) => {
      const members = current.filter((version) => version.stem === stem);
      return FIRST.map((group) => members.find((version) => version.group === group)).find((one) => one !== undefined);
    }),
  ];
  return new Map(found.flatMap((version, at) => (version === undefined ? [] : [[String(at + 1), version] as const])));
}

/** In the order of the groups, whole mixes first. */
export function inOrder(versions: readonly Version[]): Version[] {
  return versions.toSorted((a, b) => placeOf(a) - placeOf(b) || Number(b.current) - Number(a.current));
}

function placeOf(version: Version): number {
  return GROUPS.findIndex(([group]) => group === version.group);
}

const WRITTEN: Readonly<Record<string, string>> = {
  bpm: "BPM",
  db: "dB",
  dbfs: "dBFS",
  dbtp: "dBTP",
  hz: "Hz",
  lu: "LU",
  lufs: "LUFS",
  mfcc: "MFCC",
  midi: "MIDI",
  qc: "QC",
  rms: "RMS",
};

const UNIT = / (BPM|dB|dBFS|dBTP|Hz|LU|LUFS)$/;

/** Measures whose names say how they are measured, or that take more than a word. Levels of noise are bounds. */
const MEASURED: Readonly<Record<string, string>> = {
  loudness_range_lu: "Loudness range (LU)",
  max_momentary_lufs: "Loudest 0.4 s (LUFS)",
  max_short_term_lufs: "Loudest 3 s (LUFS)",
  plr_db: "Peak to loudness, PLR (dB)",
  crest_db: "Peak to RMS, crest (dB)",
  snr_db: "Signal to noise, at least (dB)",
  noise_floor_dbfs: "Noise floor, at most (dBFS)",
  over_steady_noise_db: "Music over steady noise (dB)",
  hum_dbfs: "Hum of the mains (dBFS)",
  flat_tops: "Clipped tops",
  cut: "How the highs end",
  shimmer: "Metallic shimmer (0 to 1)",
  centroid_hz: "Spectral centroid (Hz)",
  width_db: "Side to mid (dB)",
  correlation: "Correlation of left and right",
  track_correlation: "Correlation of left and right, original",
  fold_down_db: "Change in mono (dB)",
  track_fold_down_db: "Change in mono, original (dB)",
  low_end_correlation: "Correlation of left and right, lows",
  low_end_db: "Low end against all, original (dB)",
  metre: "Time signature",
  camelot: "Key, Camelot wheel",
  tuning_cents: "Tuning from A4 = 440 Hz (cents)",
  swing: "Swing (0.5: straight)",
  quality: "Quality of sound (0 to 100)",
  null_depth_db: "Difference from the original (dB)",
  rough: "Whether the mix is rough (0 to 1)",
  pumping_db: "Pumping (dB)",
  real_time_factor: "Part of real time that it took",
  generated: "Synthesised",
};

/** What a stage measured, in people's words. */
export function measured(name: string): string {
  const own = MEASURED[name];
  if (own !== undefined) return own;
  const [, part] = /^quality_(\w+)$/.exec(name) ?? [];
  if (part !== undefined) return `Quality of sound: ${words(part)}`;
  const [, sure] = /^(\w+)_confidence$/.exec(name) ?? [];
  return sure === undefined ? title(name) : `${measured(sure)}, how sure (0 to 1)`;
}

/** A MIDI file of a stem, as `midi` calls it. */
export function midiName(file: string): string {
  const [, folder, stem] = /^(quantised\/)?(.*)\.mid$/.exec(file) ?? [];
  return `${title(stem ?? file)}, MIDI${folder === undefined ? "" : ", quantised"}`;
}

/** target_lufs → Target (LUFS). */
export function title(identifier: string): string {
  const text = words(identifier.replace("si_sdr", "SI-SDR"))
    .split(" ")
    .map((word) => WRITTEN[word.toLowerCase()] ?? word)
    .join(" ");
  const shown = text.replace(UNIT, " ($1)");
  return shown.startsWith("dB") ? shown : sentence(shown);
}
