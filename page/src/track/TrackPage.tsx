/** One track: heard, compared, mixed, judged, taken away. */
import { useQuery } from "@tanstack/react-query";
import { answer, api, lineOf } from "../api/client.ts";

export function TrackPage({ track }: { track: string }) {
  const known = useQuery({
    queryKey: ["track", track],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}", { params: { path: { track } } })),
  });
  if (known.isError) return <p role="alert">{lineOf(known.error)}</p>;
  return <h1>{known.data?.summary.title ?? "Opening…"}</h1>;
}
