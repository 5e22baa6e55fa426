import type { StageReport } from "../api/schema.ts";
import { measure } from "../format.ts";

const HEARD_DB = 0.05; // less is shown as 0.0

/** "your track, 4.8 dB quieter, otherwise untouched", where mixing changed no sample and mastering did nothing but turn
 * it up or down; "your track, restored and 4.8 dB quieter", where it was mended as a whole before; null where anything
 * else was done, or is not known. */
export function onlyTurned(stages: readonly StageReport[]): string | null {
  const of = (name: string) => stages.find((stage) => stage.stage === name);
  const [mix, master] = [of("mix"), of("master")];
  if (mix?.changed !== false || master === undefined) return null;
  const [track, stems] = [of("restored_track"), of("restored_stems")].map((stage) => stage?.measures["steps_kept"]);
  if (typeof track !== "number" || stems !== 0) return null;
  const { gain_db, limiting_db, compressed_db, clipped_db } = master.measures;
  const idle = [limiting_db, compressed_db, clipped_db].every((level) => typeof level === "number" && Math.abs(level) < HEARD_DB);
  // Towards a reference more is measured than of a master by itself.
  const towards = Object.keys(master.measures).some((name) => name.startsWith("reference"));
  if (!idle || towards || typeof gain_db !== "number") return null;
  const level = `${measure(Math.abs(gain_db), "dB")} ${gain_db > 0 ? "louder" : "quieter"}`;
  const moved = Math.abs(gain_db) >= HEARD_DB;
  if (track > 0) return moved ? `your track, restored and ${level}` : "your track, restored";
  return moved ? `your track, ${level}, otherwise untouched` : "your track as it is, untouched";
}
