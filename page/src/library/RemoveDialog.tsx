import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import type { TrackSummary } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { Dialog } from "../design/Dialog.tsx";

export function RemoveDialog({ track, onClose }: { track: TrackSummary; onClose: () => void }) {
  const queries = useQueryClient();
  const [keepExports, setKeepExports] = useState(true);
  const remove = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/api/v1/tracks/{track}", {
          params: { path: { track: track.track }, query: { keep_exports: keepExports } },
        }),
      ),
    onSuccess: async () => {
      announce(`${track.title} was removed`);
      await queries.invalidateQueries({ queryKey: ["tracks"] });
      onClose();
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
      <p>All that was made of it goes for good: stems, mixes, masters, judgements. Your own file stays where it is.</p>
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
