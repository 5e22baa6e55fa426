import type { Draft } from "./draft.ts";

interface Props {
  draft: Draft;
  /** The language model that is set up; null where none is, and undefined until that is known. */
  model: string | null | undefined;
  onChange: (draft: Draft) => void;
}

/** Whether a language model reads the words: offered where one is set up. */
export function ByModelField({ draft, model, onChange }: Props) {
  if (model === undefined || (model === null && !draft.by_model)) return null;
  return (
    <div className="compose-model small">
      <label>
        <input
          type="checkbox"
          checked={draft.by_model}
          aria-describedby="compose-model-told"
          onChange={(event) => onChange({ ...draft, by_model: event.target.checked })}
        />{" "}
        Read by the model
      </label>
      <span id="compose-model-told" className="soft">
        {model === null
          ? "None is set up here: the words can’t be read by one."
          : draft.by_model
            ? `${model} reads the words when you ask for it, and again when it is composed; it may read them otherwise then. What you choose counts.`
            : `${model}, in the place of the lexicon`}
      </span>
    </div>
  );
}
