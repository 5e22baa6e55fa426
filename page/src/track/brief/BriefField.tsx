/** One value of the brief: what it is, where it comes from, and how to change it. */
import { useId } from "react";
import type { BriefValue } from "../../api/schema.ts";
import { title } from "../labels.ts";
import { Control } from "./Control.tsx";
import { type Field, shown, wrong } from "./schema.ts";

interface Props {
  field: Field;
  known: BriefValue | undefined;
  changed: boolean;
  /** To fall back to what it was before it was set for this track. */
  unset: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
  onBack: () => void;
}

export function BriefField({ field, known, changed, unset, value, onChange, onBack }: Props) {
  const name = useId();
  const fault = changed ? wrong(field, value) : null;
  const state = changed || unset ? "brief-field changed" : "brief-field";
  const label = field.table === null ? title(field.label) : `${title(field.table)}, ${field.label}`;
  return (
    <div className={state}>
      <div className="brief-field-head">
        <span id={`${name}-label`} className="brief-label">
          {field.table !== null && <span className="unseen">{title(field.table)}: </span>}
          {title(field.label)}
        </span>
        <span className="small soft origin">{originOf(known, changed, unset)}</span>
      </div>
      <Control
        field={field}
        value={value}
        labelledBy={`${name}-label`}
        describedBy={`${name}-about`}
        invalid={fault !== null}
        onChange={onChange}
      />
      {fault !== null && (
        <p className="small fault" role="alert">
          {label} {fault}.
        </p>
      )}
      <p id={`${name}-about`} className={field.table === null ? "small soft" : "unseen"}>
        {field.description}
      </p>
      {known !== undefined && !known.built_in && field.kind !== "fixed" && (
        <button type="button" className="button quiet tight" aria-pressed={unset} onClick={onBack}>
          {unset ? "Keep it as it is" : "Fall back"}
        </button>
      )}
    </div>
  );
}

function originOf(known: BriefValue | undefined, changed: boolean, unset: boolean): string {
  if (unset) return "falls back when applied";
  if (changed) return `changed, was ${shown(known?.value)}`;
  return known === undefined ? "not set" : known.built_in ? "default" : known.origin;
}
