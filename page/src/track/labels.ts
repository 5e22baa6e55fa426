/** Versions by the names that people have for them. */
import type { Version } from "../api/schema.ts";
import { words } from "../format.ts";
import { sentence } from "../stages.ts";

export type Group = Version["group"];

export const GROUPS: readonly [Group, string][] = [
  ["original", "Original"],
  ["mix", "Mix"],
  ["master", "Masters"],
  ["stems", "Stems"],
  ["restored", "Restored stems"],
  ["regenerated", "Played anew"],
];

const OF_STEM: Partial<Record<Group, string>> = { restored: "restored", regenerated: "played anew" };

/** Unmistakable without its group: "vocals, restored". */
export function nameOf(version: Version): string {
  const kind = OF_STEM[version.group];
  if (version.stem === null) return version.label;
  return kind === undefined || version.label.includes(kind) ? version.label : `${version.label}, ${kind}`;
}

/** In the order of the groups, whole mixes first: the first nine have the keys 1 to 9. */
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
