import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "../../api/client.ts";
import type { BriefChange, BriefChanged } from "../../api/schema.ts";
import { announce } from "../../design/announce.tsx";

/** The question for what is wanted of a track. */
export function briefQuery(track: string) {
  return queryOptions({
    queryKey: ["track", track, "brief"],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/brief", { params: { path: { track } } })),
  });
}

export function changeBrief(track: string, body: BriefChange): Promise<BriefChanged> {
  return answer(api.PATCH("/api/v1/tracks/{track}/brief", { params: { path: { track } }, body }));
}

/** For a brief that was changed: the page knows it, and a line says so. */
export function useNoted(track: string): (changed: BriefChanged, line: string) => void {
  const queries = useQueryClient();
  return (changed, line) => {
    queries.setQueryData(["track", track, "brief"], changed.brief);
    void queries.invalidateQueries({ queryKey: ["track", track, "earlier"] });
    void queries.invalidateQueries({ queryKey: ["jobs"] });
    void queries.invalidateQueries({ queryKey: ["track", track], exact: true });
    announce(line);
  };
}
