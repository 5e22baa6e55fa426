/** What of the library is looked at: search, state, order. In the address, so that it can be kept and sent. */
import { useSearchParams } from "wouter";
import { STATES_WORST_FIRST, type TrackState } from "./states.ts";

export const SORTS = [
  { value: "worst", label: "Worst first", descendingFirst: false },
  { value: "added", label: "Added", descendingFirst: true },
  { value: "title", label: "Title", descendingFirst: false },
  { value: "artist", label: "Artist", descendingFirst: false },
  { value: "tempo", label: "Tempo", descendingFirst: false },
  { value: "key", label: "Key", descendingFirst: false },
  { value: "score", label: "Likeness", descendingFirst: true },
] as const;

export type Sort = (typeof SORTS)[number]["value"];

export interface View {
  search: string;
  state: TrackState | null;
  sort: Sort;
  descending: boolean;
}

export const EVERYTHING: View = { search: "", state: null, sort: "worst", descending: false };

/** What stands in an address may be anything: what is no state and no order is as if it were not there. */
export function viewOf(parameters: URLSearchParams): View {
  const state = STATES_WORST_FIRST.find((one) => one === parameters.get("state")) ?? null;
  const sort = SORTS.find(({ value }) => value === parameters.get("sort"))?.value ?? "worst";
  return {
    search: (parameters.get("search") ?? "").slice(0, 200),
    state,
    sort,
    descending: parameters.get("descending") === "true",
  };
}

export function parametersOf(view: View): URLSearchParams {
  const parameters = new URLSearchParams();
  if (view.search !== "") parameters.set("search", view.search);
  if (view.state !== null) parameters.set("state", view.state);
  if (view.sort !== "worst") parameters.set("sort", view.sort);
  if (view.descending) parameters.set("descending", "true");
  return parameters;
}

/** Another order; the same once more turns it round. */
export function sortedBy(view: View, sort: Sort): View {
  const first = SORTS.find(({ value }) => value === sort)?.descendingFirst ?? false;
  return { ...view, sort, descending: view.sort === sort ? !view.descending : first };
}

export function useView(): [View, (view: View) => void] {
  const [parameters, setParameters] = useSearchParams();
  return [viewOf(parameters), (view) => setParameters(parametersOf(view), { replace: true })];
}
