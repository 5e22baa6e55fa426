import { answer, api } from "../api/client.ts";
import type { CompositionWords, JobAccepted } from "../api/schema.ts";

/** Has it composed: a job, and the track that it becomes. */
export function compose({ prompt, ...beside }: Partial<CompositionWords>): Promise<JobAccepted> {
  return answer(
    api.POST("/api/v1/jobs", {
      body: { prompt: prompt ?? "", composition: JSON.stringify(beside) },
      bodySerializer: (body) => {
        const form = new FormData();
        for (const [name, value] of Object.entries(body)) form.append(name, value);
        return form;
      },
    }),
  );
}
