import { useEffect, useMemo, useState } from "react";
import { useQueries } from "@tanstack/react-query";
import { answer, api } from "../../api/client.ts";
import type { Track } from "../../api/schema.ts";
import { factor } from "../../player/loudness.ts";
import { usePlayer } from "../usePlayer.ts";
import { LOWEST_DB, type StemStrip, asMixed, upToDate } from "./mixer.ts";

export interface Mixer {
  strips: readonly StemStrip[];
  /** heard: whether that is what is to be heard now. */
  set: (strips: readonly StemStrip[], heard?: boolean) => void;
}

/** Strips of a track; what is changed is heard at once. */
export function useMixer(track: Track): Mixer {
  const player = usePlayer();
  const [chosen, setChosen] = useState<readonly StemStrip[]>(() => asMixed(track.versions));
  const strips = useMemo(() => upToDate(chosen, track.versions), [chosen, track.versions]);
  const key = track.summary.track;
  const sounding = strips.filter((strip) => strip.notesHeard);
  const notes = useQueries({
    queries: sounding.map(({ stem }) => ({
      queryKey: ["track", key, "notes", stem],
      queryFn: () => answer(api.GET("/api/v1/tracks/{track}/notes/{stem}", { params: { path: { track: key, stem } } })),
    })),
  });
  useEffect(() => {
    for (const strip of strips) {
      const known = notes[sounding.indexOf(strip)]?.data;
      player.setNotes(strip.stem, strip.notesHeard && known ? known.notes : null, factor(Math.max(-12, strip.level_db)));
    }
  });
  return {
    strips,
    set: (next, heard = true) => {
      setChosen(next);
      if (heard) player.mix(next.map((strip) => ({ ...strip, level_db: strip.level_db <= LOWEST_DB ? -200 : strip.level_db })));
    },
  };
}
