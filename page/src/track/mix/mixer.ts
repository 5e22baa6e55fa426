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

/** Those of the strips that do not stand as the mix has them: the others follow it. */
export function moved(strips: readonly StemStrip[], versions: readonly Version[]): StemStrip[] {
  const mixed = asMixed(versions).map((strip) => JSON.stringify(strip));
  return strips.filter((strip) => !mixed.includes(JSON.stringify(strip)));
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

/** Under what a track's mixer is remembered. */
export function mixerOf(track: string): string {
  return `mixer.${track}`;
}

const LEAST_DB = 0.05; // what is shown as 0.0
const GAIN_DB = [-40, 20] as const; // what the brief takes, see docs/briefs.md
const SIDE_DB = [-24, 6] as const;

/** Values of the brief (`mixing.gains_db`, `mixing.width_db`) that ask for what strips were moved to. A gain is asked
 * for on top of the stem's place in the balance: what the plan wished for, less what the brief asks for already. A strip
 * that is muted is asked for as softly as can be; solo is for listening only.
 *
 * wished: stem → dB, of the plan. asked: name of a value → what the brief has. */
export function asBrief(
  strips: readonly StemStrip[],
  mixed: readonly StemStrip[],
  wished: (stem: string) => number,
  asked: (name: string) => unknown,
): Record<string, number> {
  const found: Record<string, number> = {};
  for (const strip of strips) {
    const before = mixed.find((one) => one.stem === strip.stem)?.level_db ?? 0;
    const gain = `mixing.gains_db.${strip.stem}`;
    const silent = strip.mute || strip.level_db <= LOWEST_DB;
    if (silent || Math.abs(strip.level_db - before) >= LEAST_DB) {
      const now = asked(gain);
      const place = wished(strip.stem) - (typeof now === "number" ? now : 0);
      found[gain] = silent ? GAIN_DB[0] : rounded(strip.level_db - place, GAIN_DB);
    }
    if (strip.width !== 1) {
      found[`mixing.width_db.${strip.stem}`] = strip.width === 0 ? SIDE_DB[0] : rounded(20 * Math.log10(strip.width), SIDE_DB);
    }
  }
  return found;
}

function rounded(level_db: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, Math.round(level_db * 10) / 10)) + 0; // no −0
}

export function levelText(level_db: number): string {
  if (level_db <= LOWEST_DB) return "−∞ dB";
  return `${level_db > 0 ? "+" : ""}${level_db.toFixed(1)} dB`.replace("-", "−");
}
