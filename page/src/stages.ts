/** Stages in the words of those who make music. */
import { words } from "./format.ts";

const NAMES: Readonly<Record<string, readonly [string, string]>> = {
  // what it makes, and what it does
  composition: ["composition", "composing"],
  generated_stems: ["composed stems", "playing the composition"],
  brief: ["brief", "reading the brief"],
  raw_track: ["recording", "reading the recording"],
  profile: ["profile", "measuring the recording"],
  restored_track: ["restored recording", "restoring the recording"],
  stems: ["stems", "separating stems"],
  restored_stems: ["restored stems", "restoring stems"],
  analysis: ["analysis", "analysing the music"],
  midi: ["notes (MIDI)", "writing down notes"],
  mix_plan: ["mix plan", "planning the mix"],
  mix: ["mix", "mixing"],
  master: ["master", "mastering"],
  regenerated_stems: ["stems played anew", "playing stems anew"],
  qc_scores: ["quality check", "checking quality"],
  generated_track: ["recording made anew", "making the recording anew"],
  remix: ["remix material", "making remix material"],
  ableton: ["Live set", "writing the Live set"],
  dawproject: ["DAWproject", "writing the DAWproject"],
  ni_stems: ["NI Stems file", "writing the NI Stems file"],
  rekordbox: ["rekordbox collection", "writing the rekordbox collection"],
  serato: ["Serato file", "writing the Serato file"],
  multitrack_midi: ["MIDI file", "writing the MIDI file"],
  archive: ["archive", "writing the archive"],
  mirrored: ["mirrored library", "mirroring the library"],
  sfz: ["instruments", "cutting instruments"],
  exports: ["export folder", "writing the export folder"],
};

/** What a stage makes, within a sentence. */
export function madeBy(stage: string): string {
  return NAMES[stage]?.[0] ?? words(stage);
}

/** What a stage does, within a sentence. */
export function doing(stage: string): string {
  return NAMES[stage]?.[1] ?? words(stage);
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
