/** Asked before a track goes, in the library and on its own page. */
import { useIsMutating, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import type { TrackSummary } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Dialog } from "../design/Dialog.tsx";
import { forget } from "../remembered.ts";
import { draftOf } from "../track/brief/draft.ts";
import { mixerOf } from "../track/mix/mixer.ts";

type Props = {
  track: Pick<TrackSummary, "track" | "title">;
  onClose: () => void;
  /** Once it is gone; before anything asks for it again. */
  onRemoved: () => void;
};

/** Whether the track is just going: what is asked of it now would not be found. */
export function useRemoving(track: string): boolean {
  return useIsMutating({ mutationKey: ["remove", track] }) > 0;
}

export function RemoveDialog({ track, onClose, onRemoved }: Props) {
  const queries = useQueryClient();
  const [keepExports, setKeepExports] = useState(true);
  const remove = useMutation({
    mutationKey: ["remove", track.track],
    mutationFn: () =>
      answer(
        api.DELETE("/api/v1/tracks/{track}", {
          params: { path: { track: track.track }, query: { keep_exports: keepExports } },
        }),
      ),
    onSuccess: async () => {
      announce(`${track.title} was removed`);
      forget(draftOf(track.track));
      forget(mixerOf(track.track));
      onRemoved();
      queries.removeQueries({ queryKey: ["track", track.track] });
      await queries.invalidateQueries({ queryKey: ["tracks"] });
    },
  });
  return (
    <Dialog
      title={`Remove “${track.title}”?`}
      onClose={onClose}
      actions={
        <>
          <button type="button" className="button" onClick={onClose}>
            Keep it
          </button>
          <button
            type="button"
            className="button danger"
            onClick={() => remove.mutate()}
            disabled={remove.isPending}
          >
            {remove.isPending ? "Removing…" : "Remove"}
          </button>
        </>
      }
    >
      <p>
        {keepExports
          ? "What was made of it goes for good: stems, mixes, masters, scores, listening tests. Your own file and the folder with its exports stay."
          : "All that was made of it goes for good: stems, mixes, masters, scores, listening tests, and the folder with its exports. Your own file stays."}
      </p>
      <label className="labelled">
        <input type="checkbox" checked={keepExports} onChange={(event) => setKeepExports(event.target.checked)} />
        Keep the folder with its exports
      </label>
      {remove.isError && (
        <p className="alert" role="alert">
          {lineOf(remove.error)}
        </p>
      )}
    </Dialog>
  );
}
