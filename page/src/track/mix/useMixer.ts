import { useEffect, useMemo } from "react";
import { useQueries } from "@tanstack/react-query";
import type { Track } from "../../api/schema.ts";
import { factor } from "../../player/loudness.ts";
import { useRemembered } from "../../remembered.ts";
import { usePlayer } from "../usePlayer.ts";
import { LOWEST_DB, type StemStrip, mixerOf, moved, upToDate } from "./mixer.ts";
import { notesQuery } from "./notes.ts";

export interface Mixer {
  strips: readonly StemStrip[];
  /** heard: whether that is what is to be heard now. */
  set: (strips: readonly StemStrip[], heard?: boolean) => void;
}

const AS_MIXED: readonly StemStrip[] = []; // nothing was moved yet

/** Strips of a track, as they were left; what is changed is heard at once. */
export function useMixer(track: Track): Mixer {
  const player = usePlayer();
  const key = track.summary.track;
  const [chosen, setChosen] = useRemembered(mixerOf(key), AS_MIXED);
  const strips = useMemo(() => upToDate(chosen, track.versions), [chosen, track.versions]);
  const sounding = strips.filter((strip) => strip.notesHeard);
  const notes = useQueries({
    queries: sounding.map(({ stem }) => notesQuery(key, stem)),
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
      setChosen(moved(next, track.versions));
      if (heard) player.mix(next.map((strip) => ({ ...strip, level_db: strip.level_db <= LOWEST_DB ? -200 : strip.level_db })));
    },
  };
}
