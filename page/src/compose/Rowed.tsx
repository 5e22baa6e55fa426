/** A list of rows that is edited in place: what is known of all of them in a line, and each when it is opened. */
import { type ReactNode, useEffect, useRef } from "react";
import { announce } from "../design/announce.tsx";

interface Props {
  id: string;
  label: string;
  line: string;
  origin: string;
  /** Undefined where nothing was chosen. */
  onLetGo: (() => void) | undefined;
  children: ReactNode;
}

export function Rowed({ id, label, line, origin, onLetGo, children }: Props) {
  return (
    <div className="compose-field wide">
      <details className="compose-whole">
        <summary>
          <span className="compose-whole-label">{label}</span> <span className="small">{line}</span>
        </summary>
        {children}
      </details>
      <p id={`compose-${id}-told`} className="small soft">
        {origin}
        {onLetGo !== undefined && (
          <button type="button" className="compose-undo" onClick={onLetGo}>
            Undo<span className="unseen"> choice of {label}</span>
          </button>
        )}
      </p>
    </div>
  );
}

type Act = "up" | "down" | "remove";

/** Where the focus goes once a row was moved or taken out: with the row, or to what stands in its place. */
export function useFollowing(rows: number) {
  const list = useRef<HTMLOListElement>(null);
  const next = useRef<{ row: number; act: Act } | null>(null);
  useEffect(() => {
    if (next.current === null) return;
    const { row, act } = next.current;
    next.current = null;
    const item = list.current?.children[Math.min(row, rows - 1)];
    const button = item?.querySelector<HTMLButtonElement>(`[data-act="${act}"]:not(:disabled)`);
    (button ?? item?.querySelector<HTMLButtonElement>("[data-act]:not(:disabled)"))?.focus();
  });
  const follow = (row: number, act: Act, line: string) => {
    next.current = { row, act };
    announce(line);
  };
  return { list, follow };
}

interface ActProps {
  act: Act;
  /** "Move verse, section 2, up" */
  name: string;
  disabled?: boolean;
  onClick: () => void;
}

const SIGNS: Readonly<Record<Act, string>> = { up: "↑", down: "↓", remove: "✕" };

export function ActButton({ act, name, disabled = false, onClick }: ActProps) {
  return (
    <button type="button" className="button tight" data-act={act} aria-label={name} title={name} disabled={disabled} onClick={onClick}>
      <span aria-hidden="true">{SIGNS[act]}</span>
    </button>
  );
}
