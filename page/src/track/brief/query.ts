import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../../api/client.ts";

/** The question for what is wanted of a track. */
export function briefQuery(track: string) {
  return queryOptions({
    queryKey: ["track", track, "brief"],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/brief", { params: { path: { track } } })),
  });
}
