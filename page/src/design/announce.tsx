/** What screen readers are told of things that happen elsewhere on the page. */
import { useSyncExternalStore } from "react";

let said = "";
const listeners = new Set<() => void>();

/** Said once, politely, after what is being read. */
export function announce(line: string): void {
  // The same line twice would be no change and stay unsaid.
  said = said === line ? `${line}\u00a0` : line;
  for (const listener of listeners) listener();
}

export function Announcements() {
  const line = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => said,
  );
  return (
    <div className="unseen" role="status" aria-live="polite">
      {line}
    </div>
  );
}
