/** What is wanted of files that are dropped: the preset of all stages that have one, as `--preset` sets it. */
export type Preset = "conservative" | "balanced" | "aggressive";

export const PRESETS: readonly { value: Preset; label: string; meaning: string }[] = [
  { value: "conservative", label: "Conservative", meaning: "Only what is surely amiss is changed." },
  { value: "balanced", label: "Balanced", meaning: "What is good practice." },
  { value: "aggressive", label: "Aggressive", meaning: "About half as much again as balanced." },
];

/** The brief that is sent along; null where nothing is said, so that files of the home and the inbox decide. */
export function briefOf(preset: Preset | "as set"): string | null {
  if (preset === "as set") return null;
  return JSON.stringify({ restoration: { preset }, mixing: { preset }, mastering: { preset } });
}
