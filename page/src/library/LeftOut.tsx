import { useRemembered } from "../remembered.ts";

const NONE = "";

/** Told once: that stems could come out better, and what to do. Until other engines are missing. */
export function LeftOut({ engines }: { engines: readonly string[] }) {
  const [dismissed, setDismissed] = useRemembered("engines-left-out", NONE);
  const now = engines.join(", ");
  if (engines.length === 0 || dismissed === now) return null;
  return (
    <section className="card left-out small" aria-label="Better separation">
      <p>
        Stems are separated by what came with Resonate. Engines that do it better are not installed here: {now}. What each of
        them needs is told by <code>resonate engines</code>; once one is there, “Process again” on a track uses it.
      </p>
      <button type="button" className="button tight" onClick={() => setDismissed(now)}>
        Don’t show again
      </button>
    </section>
  );
}
