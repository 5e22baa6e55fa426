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

const UNIT = / (dB|dBFS|dBTP|Hz|LU|LUFS)$/;

/** target_lufs → Target (LUFS). */
export function title(identifier: string): string {
  const text = words(identifier)
    .split(" ")
    .map((word) => WRITTEN[word.toLowerCase()] ?? word)
    .join(" ");
  const shown = text.replace(UNIT, " ($1)");
  return shown.startsWith("dB") ? shown : sentence(shown);
}
