/** What is asked for in words and not composed yet: kept until it is, or until the tab is closed. */
import type { Composed, CompositionWords } from "../api/schema.ts";
import { forget, remember, useRemembered } from "../remembered.ts";

/** asked: what was chosen beside the prompt, by its field; it counts, whatever the prompt says. */
export type Draft = CompositionWords;

export const EMPTY: Draft = { prompt: "", title: "", seed: 0, asked: {}, engine: "composer", by_model: false, reference: "", reference_sounds: false };
export const LARGEST_SEED = 2 ** 31 - 1;
/** Where in the library's page it is written. */
export const COMPOSE = "compose";

const NAME = "draft.composition";

export function useDraft(): [Draft, (draft: Draft) => void] {
  const [draft, setDraft] = useRemembered(NAME, EMPTY);
  return [{ ...EMPTY, ...draft }, setDraft]; // one that an earlier page remembers lacks fields
}

/** words: of a track, as the server tells them. */
export function begin(words: CompositionWords): void {
  remember<Draft>(NAME, { ...EMPTY, ...words });
}

export function forgetDraft(): void {
  forget(NAME);
}

/** A recording in whose style a track was composed. track: its key, where it is one of the library. */
export interface Like {
  name: string;
  track: string | null;
}

/** It, and whether it was a file: that can't be sent again, so that the same words would be another piece. */
export function likeOf(facts: Pick<Composed, "words"> & { reference?: Like | null }): (Like & { lost: boolean }) | null {
  const { reference = null, words } = facts;
  if (reference === null) return null;
  const key = words?.reference ?? "";
  return { ...reference, lost: key === "" };
}

/** Whether a reference's own sounds can play: the composer alone plays by sounds. file: a recording that is sent along. */
export function soundsCanPlay(draft: Pick<Draft, "engine" | "reference">, file: unknown): boolean {
  return draft.engine === "composer" && (draft.reference !== "" || file !== null);
}

/** The next one; after the largest the first. */
export function nextSeed(seed: number): number {
  return seed >= LARGEST_SEED ? 0 : seed + 1;
}

/** The same with other values: undefined lets go of one, so that the words count again; null leaves it to be assumed. */
export function choosing(draft: Draft, chosen: Readonly<Record<string, unknown>>): Draft {
  const asked = Object.fromEntries(Object.entries({ ...draft.asked, ...chosen }).filter(([, value]) => value !== undefined));
  return { ...draft, asked };
}
