/** Tabs as ARIA has them: arrows go from one to the next, the panel that is chosen is the one that exists. */
import { SideScroll } from "../design/SideScroll.tsx";
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

export interface Tab {
  id: string;
  label: string;
  /** What is to be known of it before it is opened. */
  badge?: string | null;
  panel: ReactNode;
}

interface Props {
  label: string;
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (id: string) => void;
}

export function Tabs({ label, tabs, chosen, onChoose }: Props) {
  const name = useId();
  const list = useRef<HTMLDivElement>(null);
  const open = tabs.find((tab) => tab.id === chosen) ?? tabs[0];
  if (open === undefined) return null;
  const go = (event: KeyboardEvent) => {
    const at = tabs.indexOf(open);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    onChoose((tabs[next] as Tab).id);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <section className="tabbed">
      <SideScroll>
        <div className="tabs" role="tablist" aria-label={label} ref={list} tabIndex={-1} onKeyDown={go}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${name}-${tab.id}`}
            className="tab"
            aria-selected={tab === open}
            aria-controls={`${name}-panel`}
            tabIndex={tab === open ? 0 : -1}
            onClick={() => onChoose(tab.id)}
          >
            {tab.label}
            {tab.badge && <span className="badge warning">{tab.badge}</span>}
          </button>
        ))}
        </div>
      </SideScroll>
      <div className="tab-panel" role="tabpanel" id={`${name}-panel`} aria-labelledby={`${name}-${open.id}`} key={open.id}>
        {open.panel}
      </div>
    </section>
  );
}
