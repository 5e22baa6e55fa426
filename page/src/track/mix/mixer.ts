/** The mixer's strips: one for each stem, each playing one of the stem's versions. */
import type { Version } from "../../api/schema.ts";
import type { Strip } from "../../player/player.ts";

export interface StemStrip extends Strip {
  stem: string;
  /** Its notes: drawn over the waveform, and played. */
  notesSeen: boolean;
  notesHeard: boolean;
}

export const LOWEST_DB = -60;
export const HIGHEST_DB = 12;
export const WIDEST = 2;

const FIRST: readonly Version["group"][] = ["restored", "stems", "regenerated"]; // as `mix` takes them

/** Versions of each stem that there are now, those that `mix` is made of first. */
export function versionsByStem(versions: readonly Version[]): Map<string, Version[]> {
  const found = new Map<string, Version[]>();
  for (const version of versions) {
    if (version.stem === null || !version.current) continue;
    found.set(version.stem, [...(found.get(version.stem) ?? []), version]);
  }
  for (const [stem, members] of found) {
    found.set(
      stem,
      members.toSorted((a, b) => FIRST.indexOf(a.group) - FIRST.indexOf(b.group)),
    );
  }
  return found;
}

/** As `mix` has them: its gain on each stem. What `mix` did not move stands at 0 dB. */
export function asMixed(versions: readonly Version[]): StemStrip[] {
  return [...versionsByStem(versions)].map(([stem, members]) => {
    const first = members[0] as Version;
    return {
      stem,
      version: first.id,
      level_db: gainOf(members),
      width: 1,
      mute: false,
      solo: false,
      notesSeen: false,
      notesHeard: false,
    };
  });
}

/** What `mix` moved a stem by, in dB; 0 where it moved nothing. */
export function gainOf(members: readonly Version[]): number {
  return members.find((version) => version.gain_db !== null)?.gain_db ?? 0;
}

/** The strips with what a track has now: stems that are new come in, those that are gone leave. */
export function upToDate(strips: readonly StemStrip[], versions: readonly Version[]): StemStrip[] {
  const byStem = versionsByStem(versions);
  return asMixed(versions).map((fresh) => {
    const kept = strips.find((strip) => strip.stem === fresh.stem);
    if (kept === undefined) return fresh;
    const there = byStem.get(kept.stem)?.some((version) => version.id === kept.version);
    return there ? kept : { ...kept, version: fresh.version };
  });
}

export function levelText(level_db: number): string {
  if (level_db <= LOWEST_DB) return "−∞ dB";
  return `${level_db > 0 ? "+" : ""}${level_db.toFixed(1)} dB`.replace("-", "−");
}
