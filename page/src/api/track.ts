import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client.ts";

/** The question for everything that is known of a track. */
export function trackQuery(track: string) {
  return queryOptions({
    queryKey: ["track", track],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}", { params: { path: { track } } })),
  });
}
