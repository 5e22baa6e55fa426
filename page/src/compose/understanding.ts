import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client.ts";
import type { Composition, Understood } from "../api/schema.ts";
import { useSettled } from "../library/settled.ts";
import type { Draft } from "./draft.ts";

const PAUSE_MS = 700; // typing has stopped

function questionOf({ prompt, seed, asked, by_model, reference }: Draft): string {
  const question = { prompt, seed, asked, by_model };
  return JSON.stringify(reference === "" ? question : { ...question, reference });
}

export interface Understanding {
  /** The latest, also while another is waited for; null where there is none. */
  told: Understood | null;
  /** Whether it is of what stands there now. */
  current: boolean;
  /** Whether somebody reads. */
  reading: boolean;
  error: unknown;
  /** Not to wait until typing has stopped. */
  hurry: (draft: Draft) => void;
}

/** What is understood of the words, asked a moment after they changed; of a model, which takes its time, only when that
 * is not to be waited for. */
export function useUnderstanding(draft: Draft): Understanding {
  const question = questionOf(draft);
  const settled = useSettled(question, PAUSE_MS);
  const [hurried, setHurried] = useState("");
  const asked = hurried === question ? question : settled;
  const says = draft.prompt.trim() !== "";
  const wanted = !(JSON.parse(asked) as Composition).by_model || hurried === asked;
  const known = useQuery({
    queryKey: ["understanding", asked],
    enabled: says && wanted && (JSON.parse(asked) as Composition).prompt.trim() !== "",
    queryFn: ({ signal }) =>
      answer(api.POST("/api/v1/compositions/understanding", { body: JSON.parse(asked) as Composition, signal })),
    staleTime: Infinity,
    retry: false,
  });
  const [last, setLast] = useState<Understood | null>(null);
  if (known.data !== undefined && known.data !== last) setLast(known.data);
  return {
    told: says ? (known.data ?? last) : null,
    current: says && known.data !== undefined && asked === question,
    reading: says && known.isFetching,
    error: says ? known.error : null,
    hurry: (now) => setHurried(questionOf(now)),
  };
}
