/** What is changed in a track's brief and not applied yet: kept until it is applied or discarded, or the tab is closed. */
import { useRemembered } from "../../remembered.ts";

/** set: name of a value → what it is to be. unset: names of values that are to fall back. */
export interface Draft {
  set: Readonly<Record<string, unknown>>;
  unset: readonly string[];
}

export const NOTHING: Draft = { set: {}, unset: [] };

/** Under what a draft is remembered. */
export function draftOf(track: string): string {
  return `draft.${track}`;
}

export function useDraft(track: string): [Draft, (draft: Draft) => void] {
  return useRemembered(draftOf(track), NOTHING);
}

export function changesIn({ set, unset }: Draft): number {
  return Object.keys(set).length + unset.length;
}

/** Section of the brief → what is made anew after a change in it, for a person. */
const MADE_OF: Readonly<Record<string, string>> = {
  separation: "stems and all that is made of them",
  restoration: "restored recording, stems, mix and master",
  profile: "analysis, notes, mix and master",
  mixing: "mix and master",
  mastering: "master",
};
const ORDER = Object.keys(MADE_OF);

/** What applying the draft makes anew, in one sentence; null where it changes nothing of these. */
export function madeAnew({ set, unset }: Draft): string | null {
  const sections = new Set([...Object.keys(set), ...unset].map((name) => name.split(".")[0] as string));
  const parts = ORDER.filter((section) => sections.has(section)).map((section) => MADE_OF[section]);
  const widest = parts.some((part) => part !== "master") ? parts.filter((part) => part !== "master") : parts;
  return widest.length === 0 ? null : `Made anew when it is applied: ${widest.join("; ")}. What there is now stays to be compared with.`;
}
