import { answer, api } from "../api/client.ts";
import type { CompositionWords, JobAccepted } from "../api/schema.ts";
import { soundsCanPlay } from "./draft.ts";

/** Has it composed: a job, and the track that it becomes. file: a recording in whose style it is to be. */
export function compose(asked: Partial<CompositionWords>, file: File | null = null): Promise<JobAccepted> {
  const { prompt, reference = "", reference_sounds = false, ...words } = asked;
  const sounds = reference_sounds && soundsCanPlay({ engine: "composer", ...words, reference }, file);
  const beside = { ...words, ...(reference !== "" && { reference }), ...(sounds && { reference_sounds }) };
  return answer(
    api.POST("/api/v1/jobs", {
      body: { prompt: prompt ?? "", composition: JSON.stringify(beside) },
      bodySerializer: (body) => {
        const form = new FormData();
        for (const [name, value] of Object.entries(body)) form.append(name, value);
        if (file !== null) form.append("composition_reference", file, file.name);
        return form;
      },
    }),
  );
}
