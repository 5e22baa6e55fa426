import { type Draft, soundsCanPlay } from "./draft.ts";

interface Props {
  draft: Draft;
  file: File | null;
  onChange: (draft: Draft) => void;
}

/** Whether the reference's own sounds play the piece: offered where there is one, and who can play by them. */
export function SoundsField({ draft, file, onChange }: Props) {
  if (!soundsCanPlay(draft, file)) return null;
  return (
    <div className="compose-model small">
      <label>
        <input
          type="checkbox"
          checked={draft.reference_sounds}
          aria-describedby="compose-sounds-told"
          onChange={(event) => onChange({ ...draft, reference_sounds: event.target.checked })}
        />{" "}
        Play by its own sounds
      </label>
      <span id="compose-sounds-told" className="soft">
        Its drums, bass and other instruments, cut out of the recording, play what they can. Whoever holds the rights in it
        holds them in these sounds: the piece says so.
      </span>
    </div>
  );
}
