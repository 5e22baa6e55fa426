import { useQuery } from "@tanstack/react-query";
import { answer, api } from "../../api/client.ts";

/** What was written down of a stem. */
export function useNotes(track: string, stem: string, enabled: boolean) {
  return useQuery({
    queryKey: ["track", track, "notes", stem],
    enabled,
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/notes/{stem}", { params: { path: { track, stem } } })),
  });
}
