/** Settings of this browser: presets, view, volume, levels of a track's mixer. In localStorage under "resonate.<name>",
 * as JSON; what is only begun, "draft.…", in sessionStorage, for as long as the tab is open. */
import { useSyncExternalStore } from "react";

const CHANGED = "resonate-remembered";
const kept = new Map<string, unknown>();

function key(name: string): string {
  return `resonate.${name}`;
}

function place(name: string): Storage {
  return name.startsWith("draft.") ? sessionStorage : localStorage;
}

export function remembered<T>(name: string, otherwise: T): T {
  if (kept.has(name)) return kept.get(name) as T;
  let value = otherwise;
  try {
    const text = place(name).getItem(key(name));
    if (text !== null) value = JSON.parse(text) as T;
  } catch {
    // Not readable, or storage is forbidden: as if nothing were remembered.
  }
  kept.set(name, value);
  return value;
}

export function remember<T>(name: string, value: T): void {
  kept.set(name, value);
  try {
    place(name).setItem(key(name), JSON.stringify(value));
  } catch {
    // Full or forbidden: it holds until the page is left.
  }
  dispatchEvent(new Event(CHANGED));
}

export function forget(name: string): void {
  kept.delete(name);
  try {
    place(name).removeItem(key(name));
  } catch {
    // Forbidden: nothing was kept.
  }
  dispatchEvent(new Event(CHANGED));
}

function onChange(listener: () => void): () => void {
  const other = (event: StorageEvent) => {
    if (event.key?.startsWith("resonate.")) kept.delete(event.key.slice("resonate.".length));
    listener();
  };
  addEventListener(CHANGED, listener);
  addEventListener("storage", other); // from another tab
  return () => {
    removeEventListener(CHANGED, listener);
    removeEventListener("storage", other);
  };
}

/** [value, set], as useState; the same everywhere under one name. otherwise must be the same object every time. */
export function useRemembered<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const value = useSyncExternalStore(onChange, () => remembered(name, otherwise));
  return [value, (now) => remember(name, now)];
}
