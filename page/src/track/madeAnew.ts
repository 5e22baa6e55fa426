/** A recording made anew beside its restoration: what there is of it, what it is called, and what is asked. */
import type { Brief, StageReport, Track, Version } from "../api/schema.ts";
import { percent } from "../format.ts";
import { sentence } from "../stages.ts";

const STAGE = "generated_track";
const GENERATED = `${STAGE}:generated`;

/** What a version says of its origin where nobody played it: "Played anew from its notes", "AI-generated"; empty of all
 * others. */
export function labelOf(version: Version, { stages }: Pick<Track, "stages">): string {
  const label = stageOf(stages)?.measures["label"];
  if (version.current && version.id.startsWith(`${STAGE}:`) && typeof label === "string") return sentence(label);
  return version.generated ? "Synthesised" : "";
}

function stageOf(stages: readonly StageReport[]): StageReport | undefined {
  return stages.find(({ stage }) => stage === STAGE);
}

export interface Both {
  /** The recording as restored; as it is, where there was nothing to restore. */
  restored: Version;
  generated: Version;
  label: string;
  /** Of what was generated, in the blend as it was made; 1 where none was. */
  share: number;
}

/** null where nothing is made anew. */
export function bothOf(track: Pick<Track, "versions" | "stages">): Both | null {
  const { versions, stages } = track;
  const generated = versions.find(({ id }) => id === GENERATED);
  const restored = versions.find(({ id }) => id === "restored_track") ?? versions.find(({ id }) => id === "original");
  if (generated === undefined || restored === undefined) return null;
  const share = stageOf(stages)?.measures["share"];
  return { restored, generated, label: labelOf(generated, track), share: typeof share === "number" ? share : 1 };
}

export interface Wanted {
  mode: string;
  blend: number;
}

export function wantedOf({ values }: Brief): Wanted {
  const of = (name: string) => values.find((value) => value.name === `restoration.${name}`)?.value;
  return { mode: String(of("mode")), blend: Number(of("blend")) };
}

/** Values of the brief that ask for a blend; for the restored recording alone where nothing of the other is in it. */
export function asBrief(share: number): Record<string, unknown> {
  return share === 0 ? { "restoration.mode": "restore" } : { "restoration.mode": "blend", "restoration.blend": share };
}

/** What the brief asks for, as a sentence. */
export function wantedLine({ mode, blend }: Wanted): string {
  if (mode === "blend") return `The brief asks for a blend, ${percent(blend)} made anew.`;
  if (mode === "generate") return "The brief asks for it made anew, beside the restored recording.";
  if (mode === "auto") return "The brief leaves it to the noise: under 5 dB of signal to noise it is made anew, over 15 dB restored, between them blended.";
  return "The brief asks for the restored recording alone.";
}

/** Why nothing was made, as its stage tells; empty where nothing was asked for. */
export function whyNothing({ stages }: Pick<Track, "stages">): readonly string[] {
  return stageOf(stages)?.notes ?? [];
}

/** What speaks for or against it; empty where its noise is not known. */
export function noiseLine({ stages }: Pick<Track, "stages">): string {
  const measures = stages.find(({ stage }) => stage === "profile")?.measures;
  // As the server's `auto` has it: music without a quiet moment would be taken for noise by the first alone.
  const known = [measures?.["snr_db"], measures?.["over_steady_noise_db"]].filter((told) => typeof told === "number");
  if (!known.length) return "";
  const snr_db = Math.max(...known);
  const told = `This one has about ${Math.round(snr_db)} dB of signal to noise.`;
  if (snr_db < 5) return `${told} Under 5 dB that is worth a try.`;
  return snr_db > 15 ? `${told} Over 15 dB restoring it is usually better.` : `${told} Between 5 and 15 dB a blend may be best.`;
}
