/** One player for each track page, and what React knows of it. */
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Track } from "../api/schema.ts";
import { Player, type PlayerState } from "../player/player.ts";

export const ThePlayer = createContext<Player | null>(null);

/** The page's player, made while the track is asked for; null until then. Closed when the page is left. */
export function useNewPlayer(key: string, track: Track | undefined): Player | null {
  const [player, setPlayer] = useState<Player | null>(null);
  useEffect(() => {
    const made = new Player(key);
    // oxlint-disable-next-line react/set-state-in-effect -- an AudioContext must be closed, so an effect makes it
    setPlayer(made);
    return () => {
      setPlayer(null);
      made.close();
    };
  }, [key]);
  useEffect(() => {
    if (player !== null && track !== undefined) player.load(track.versions, track.music, durationOf(track));
  }, [player, track]);
  return player;
}

export function usePlayer(): Player {
  const player = useContext(ThePlayer);
  if (player === null) throw new Error("there is no player here");
  return player;
}

export function usePlayerState(): PlayerState {
  const player = usePlayer();
  return useSyncExternalStore(player.subscribe, player.snapshot);
}

export function durationOf(track: Track): number {
  const original = track.versions.find((version) => version.id === "original");
  return original?.duration_s ?? track.summary.duration_s ?? Math.max(0, ...track.versions.map((one) => one.duration_s));
}
