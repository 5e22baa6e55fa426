import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../../api/client.ts";

/** The question for what was written down of a stem. */
export function notesQuery(track: string, stem: string) {
  return queryOptions({
    queryKey: ["track", track, "notes", stem],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/notes/{stem}", { params: { path: { track, stem } } })),
  });
}
