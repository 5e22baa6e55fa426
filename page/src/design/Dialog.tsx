/** A modal dialogue: the browser's own, which keeps the focus inside, closes by Escape and gives the focus back. */
import { type ReactNode, useEffect, useId, useRef } from "react";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons, the safe one first. */
  actions: ReactNode;
}

export function Dialog({ title, onClose, children, actions }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const buttons = useRef<HTMLDivElement>(null);
  const heading = useId();
  useEffect(() => {
    dialog.current?.showModal();
    // Not what happens to come first in it, such as a tick box.
    buttons.current?.querySelector("button")?.focus();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={heading} onClose={onClose} onCancel={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
      <div ref={buttons} className="dialog-actions">{actions}</div>
    </dialog>
  );
}
