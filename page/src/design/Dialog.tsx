/** A modal dialogue: the browser's own, which keeps the focus inside and closes by Escape. The focus goes back to what
 * had it, or to the page's content where that is gone. */
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
    const before = document.activeElement;
    dialog.current?.showModal();
    // Not what happens to come first in it, such as a tick box.
    buttons.current?.querySelector("button")?.focus();
    return () => {
      // Once React has taken out what was asked about: the browser gives the focus back only where it is closed.
      requestAnimationFrame(() => {
        const there = before instanceof HTMLElement && before.isConnected ? before : document.getElementById("main");
        if (document.activeElement === document.body) there?.focus({ preventScroll: true });
      });
    };
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={heading} onClose={onClose} onCancel={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
      <div ref={buttons} className="dialog-actions">{actions}</div>
    </dialog>
  );
}
