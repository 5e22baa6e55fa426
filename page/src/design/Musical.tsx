import { musical, spoken } from "../format.ts";

/** A key or chord: seen with ♯ and ♭, read out as "F sharp minor". */
export function Musical({ text }: { text: string }) {
  const seen = musical(text);
  if (seen === text) return text;
  return (
    <>
      <span aria-hidden="true">{seen}</span>
      <span className="unseen">{spoken(text)}</span>
    </>
  );
}
