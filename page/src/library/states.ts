/** States of tracks, the worst first, as `resonate status` has them: their names, colours, and what they mean. */
import type { TrackSummary } from "../api/schema.ts";
import { about } from "../format.ts";
import { doing } from "../stages.ts";
import { placeInWords } from "./queue.ts";

export type TrackState = TrackSummary["state"];
type Tone = "bad" | "warning" | "good" | "active" | "";

export const STATES: Record<TrackState, { label: string; tone: Tone; meaning: string }> = {
  failed: { label: "Failed", tone: "bad", meaning: "Something in it could not be made" },
  "not accepted": { label: "Not accepted", tone: "warning", meaning: "All is made, but the checks do not accept it" },
  stopped: { label: "Stopped", tone: "warning", meaning: "Somebody stopped it before it was done" },
  unfinished: { label: "Unfinished", tone: "warning", meaning: "Some of it is not made yet" },
  behind: { label: "Behind", tone: "warning", meaning: "Its brief, its file or the code changed since" },
  running: { label: "Running", tone: "active", meaning: "It is being processed" },
  queued: { label: "Queued", tone: "active", meaning: "It waits for its turn" },
  waiting: { label: "Waiting", tone: "", meaning: "Nothing was asked for yet" },
  done: { label: "Done", tone: "good", meaning: "All is made, and the checks accept it" },
};

export const STATES_WORST_FIRST = Object.keys(STATES) as TrackState[];

/** What can be asked for of a track in that state, as the word on its button; null where nothing. */
export function remedyOf(state: TrackState): string | null {
  if (state === "failed" || state === "stopped") return "Retry";
  if (state === "behind") return "Update";
  if (state === "unfinished" || state === "waiting") return "Process";
  return null;
}

/** What stands beneath the state: the reason, or how far it is. */
export function detailOf(track: TrackSummary): string | null {
  if (track.state === "running") {
    const stage = track.stage === null ? "starting" : doing(track.stage);
    return track.progress === null ? stage : `${stage}, ${Math.round(track.progress * 100)} %`;
  }
  if (track.state === "queued") {
    const place = track.place === null ? null : placeInWords(track.place);
    const time = track.expected_seconds === null ? null : about(track.expected_seconds);
    return [place, time].filter((part) => part !== null).join(", ") || null;
  }
  return track.reason;
}
