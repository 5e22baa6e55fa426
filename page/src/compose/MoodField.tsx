import { Field } from "./Fields.tsx";

interface Props {
  chosen: readonly string[];
  moods: readonly string[];
  origin: string;
  onChoose: (moods: string[]) => void;
  onLetGo: (() => void) | undefined;
}

export function MoodField({ chosen, moods, origin, onChoose, onLetGo }: Props) {
  return (
    <Field id="mood" label="Mood" wide origin={origin || "nothing said"} onLetGo={onLetGo}>
      {chosen.length > 0 && (
        <ul className="compose-moods">
          {chosen.map((mood) => (
            <li key={mood}>
              <button
                type="button"
                className="button tight"
                aria-label={`Leave out ${mood}`}
                onClick={() => onChoose(chosen.filter((one) => one !== mood))}
              >
                {mood} <span aria-hidden="true">✕</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <select
        id="compose-mood"
        className="field"
        aria-describedby="compose-mood-told"
        value=""
        onChange={(event) => onChoose([...chosen, event.target.value])}
      >
        <option value="">{chosen.length === 0 ? "Add one…" : "Add another…"}</option>
        {moods
          .filter((mood) => !chosen.includes(mood))
          .map((mood) => (
            <option key={mood}>{mood}</option>
          ))}
      </select>
    </Field>
  );
}
