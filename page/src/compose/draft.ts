/** What is asked for in words and not composed yet: kept until it is, or until the tab is closed. */
import type { CompositionWords } from "../api/schema.ts";
import { forget, remember, useRemembered } from "../remembered.ts";

/** asked: what was chosen beside the prompt, by its field; it counts, whatever the prompt says. */
export type Draft = Omit<CompositionWords, "by_model">;

export const EMPTY: Draft = { prompt: "", title: "", seed: 0, asked: {}, engine: "composer", reference: "" };
export const LARGEST_SEED = 2 ** 31 - 1;
/** Where in the library's page it is written. */
export const COMPOSE = "compose";

const NAME = "draft.composition";

export function useDraft(): [Draft, (draft: Draft) => void] {
  return useRemembered(NAME, EMPTY);
}

export function begin(words: CompositionWords): void {
  const { prompt, title, seed, asked, engine, reference } = words;
  remember<Draft>(NAME, { prompt, title, seed, asked, engine, reference });
}

export function forgetDraft(): void {
  forget(NAME);
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
