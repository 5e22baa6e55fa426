/** The control that suits a field. */
import { useId, useState } from "react";
import type { Field } from "./schema.ts";
import { shown } from "./schema.ts";

interface Props {
  field: Field;
  value: unknown;
  labelledBy: string;
  describedBy: string;
  invalid: boolean;
  onChange: (value: unknown) => void;
}

export function Control({ field, value, labelledBy, describedBy, invalid, onChange }: Props) {
  const told = { "aria-labelledby": labelledBy, "aria-describedby": describedBy, "aria-invalid": invalid };
  switch (field.kind) {
    case "fixed":
      return <output {...told}>{shown(value)}</output>;
    case "boolean":
      return <input type="checkbox" {...told} checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
    case "choice":
      return <Choice field={field} value={value} told={told} onChange={onChange} />;
    case "choices":
      return <Choices field={field} value={Array.isArray(value) ? value : null} labelledBy={labelledBy} onChange={onChange} />;
    case "list":
      return (
        <input
          className="field"
          {...told}
          value={Array.isArray(value) ? value.join(", ") : ""}
          placeholder="none"
          onChange={(event) => onChange(listOf(event.target.value))}
        />
      );
    case "number":
    case "integer":
      return <NumberField field={field} value={value} told={told} onChange={onChange} />;
    default:
      return field.longest !== null && field.longest > LONG ? (
        <textarea className="field text" rows={2} {...told} value={textOf(value)} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input
          className="field"
          {...told}
          value={textOf(value)}
          placeholder={field.open ? "auto" : ""}
          onChange={(event) => onChange(field.open && event.target.value === "" ? null : event.target.value)}
        />
      );
  }
}

const LONG = 200;

interface Told {
  "aria-labelledby": string;
  "aria-describedby": string;
  "aria-invalid": boolean;
}

interface Some {
  field: Field;
  value: unknown;
  told: Told;
  onChange: (value: unknown) => void;
}

function Choice({ field, value, told, onChange }: Some) {
  const options = field.open ? [null, ...field.options] : field.options;
  return (
    <select
      className="field"
      {...told}
      value={options.findIndex((option) => option === value)}
      onChange={(event) => onChange(options[Number(event.target.value)] ?? null)}
    >
      {options.map((option, index) => (
        <option key={String(option)} value={index}>
          {option === null ? "auto" : shown(option)}
        </option>
      ))}
    </select>
  );
}

interface ChoicesProps {
  field: Field;
  /** null: left to Resonate. */
  value: readonly unknown[] | null;
  labelledBy: string;
  onChange: (value: unknown) => void;
}

function Choices({ field, value, labelledBy, onChange }: ChoicesProps) {
  const [ticking, setTicking] = useState(false); // only these, and none is ticked yet
  const boxes = (
    <div className="choices" role="group" aria-labelledby={labelledBy}>
      {field.options.map((option) => (
        <label key={option} className="labelled small">
          <input
            type="checkbox"
            checked={value?.includes(option) === true}
            onChange={(event) => {
              setTicking(false);
              onChange(field.options.filter((one) => (one === option ? event.target.checked : value?.includes(one) === true)));
            }}
          />
          {shown(option).replaceAll("_", " ")}
        </label>
      ))}
    </div>
  );
  if (!field.open) return boxes;
  return (
    <>
      <Whether
        value={value}
        ticking={ticking}
        labelledBy={labelledBy}
        onTicking={() => setTicking(true)}
        onChange={(chosen) => {
          setTicking(false);
          onChange(chosen);
        }}
      />
      {boxes}
      <p className="small soft">
        {ticking ? "Tick what is to be done; until then nothing changes." : "What is ticked replaces what is found: nothing else is done then."}
      </p>
    </>
  );
}

interface WhetherProps extends Pick<ChoicesProps, "value" | "labelledBy" | "onChange"> {
  ticking: boolean;
  onTicking: () => void;
}

/** Whether what is found is done, only what is ticked, or nothing. */
function Whether({ value, ticking, labelledBy, onTicking, onChange }: WhetherProps) {
  const name = useId();
  const only = ticking || (value !== null && value.length > 0);
  const states = [
    { label: "Auto: what is found", chosen: !only && value === null, choose: () => onChange(null) },
    { label: "Only these:", chosen: only, choose: onTicking },
    { label: "None", chosen: !only && value !== null, choose: () => onChange([]) },
  ];
  return (
    <div className="choices" role="radiogroup" aria-labelledby={labelledBy}>
      {states.map(({ label, chosen, choose }) => (
        <label key={label} className="labelled small">
          <input type="radio" name={name} checked={chosen} onChange={choose} />
          {label}
        </label>
      ))}
    </div>
  );
}

function NumberField({ field, value, told, onChange }: Some) {
  return (
    <input
      className="field number figures"
      type="number"
      inputMode="decimal"
      step={field.kind === "integer" ? 1 : "any"}
      {...(field.least === null ? {} : { min: field.least })}
      {...(field.most === null ? {} : { max: field.most })}
      {...told}
      value={typeof value === "number" && Number.isFinite(value) ? value : ""}
      placeholder={field.open ? "auto" : ""}
      onChange={(event) => onChange(event.target.value === "" ? null : event.target.valueAsNumber)}
    />
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trimStart())
    .filter((part, index, all) => part !== "" || index === all.length - 1)
    .filter((part) => part !== "" || text.trimEnd().endsWith(","));
}
