/** Files on their way to the server: a few at a time, each with its progress and what became of it. */
import type { JobAccepted } from "../api/schema.ts";
import type { Gathered } from "./gather.ts";

export type UploadState = "waiting" | "sending" | "accepted" | "refused" | "stopped";

export interface Upload {
  id: number;
  path: string;
  size: number;
  state: UploadState;
  /** Bytes that are there; the server still looks into the file once all are. */
  sent: number;
  /** Why it can't be used, one line. */
  reason: string | null;
  accepted: JobAccepted | null;
}

/** Sends one file. Rejects with an Error whose message is one line for a person. */
export type Send = (
  file: File,
  brief: string | null,
  onProgress: (sent: number) => void,
  stop: AbortSignal,
) => Promise<JobAccepted>;

const AT_ONCE = 2; // a third would only share the same line and disk

interface Kept {
  upload: Upload;
  file: File | null;
  brief: string | null;
  stop: AbortController;
}

export class Uploads {
  #kept: Kept[] = [];
  #snapshot: readonly Upload[] = [];
  #listeners = new Set<() => void>();
  #next = 1;
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /** For useSyncExternalStore. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** In the order in which they were added; the same array as long as nothing changed. */
  all = (): readonly Upload[] => this.#snapshot;

  add(files: readonly Gathered[], brief: string | null): void {
    for (const { file, path } of files) {
      const empty = file.size === 0;
      this.#keep(path, file.size, empty ? "It is empty." : null, empty ? null : file, brief);
    }
    this.#changed();
    this.#start();
  }

  /** What could not even be read. */
  addUnreadable(files: readonly { path: string; reason: string }[]): void {
    for (const { path, reason } of files) this.#keep(path, 0, `It can't be read: ${reason}`, null, null);
    this.#changed();
  }

  stop(id: number): void {
    this.#stop((upload) => upload.id === id);
  }

  stopAll(): void {
    this.#stop(() => true);
  }

  again(id: number): void {
    const one = this.#find(id);
    if (one?.file == null || isUnderWay(one.upload)) return;
    one.stop = new AbortController();
    this.#update(one, { state: "waiting", sent: 0, reason: null });
    this.#start();
  }

  /** Forget those that are through; whether a refused one was read is the reader's to say. */
  forget(ids: ReadonlySet<number>): void {
    this.#kept = this.#kept.filter(({ upload }) => isUnderWay(upload) || !ids.has(upload.id));
    this.#changed();
  }

  #stop(which: (upload: Upload) => boolean): void {
    for (const one of this.#kept) {
      if (!isUnderWay(one.upload) || !which(one.upload)) continue;
      one.upload = { ...one.upload, state: "stopped" };
      one.stop.abort();
    }
    this.#changed();
    this.#start(); // only now: one that is stopped makes room for none that is stopped, too
  }

  #keep(path: string, size: number, reason: string | null, file: File | null, brief: string | null): void {
    const state = reason === null ? "waiting" : "refused";
    const upload: Upload = { id: this.#next++, path, size, state, sent: 0, reason, accepted: null };
    this.#kept.push({ upload, file, brief, stop: new AbortController() });
  }

  #start(): void {
    let room = AT_ONCE - this.#kept.filter(({ upload }) => upload.state === "sending").length;
    for (const one of this.#kept) {
      if (room <= 0) return;
      if (one.upload.state !== "waiting" || one.file === null) continue;
      room -= 1;
      void this.#sendOne(one, one.file, one.stop.signal);
    }
  }

  async #sendOne(one: Kept, file: File, stop: AbortSignal): Promise<void> {
    this.#update(one, { state: "sending" });
    const onProgress = (sent: number) => {
      if (!stop.aborted) this.#update(one, { sent: Math.min(sent, file.size) });
    };
    let outcome: Partial<Upload>;
    try {
      const accepted = await this.#send(file, one.brief, onProgress, stop);
      outcome = { state: "accepted", sent: file.size, accepted };
      one.file = null; // the browser need not hold on to it
    } catch (error) {
      outcome = { state: "refused", reason: error instanceof Error ? error.message : String(error) };
    }
    if (!stop.aborted) this.#update(one, outcome);
    this.#start();
  }

  #find(id: number): Kept | undefined {
    return this.#kept.find(({ upload }) => upload.id === id);
  }

  #update(one: Kept, change: Partial<Upload>): void {
    one.upload = { ...one.upload, ...change };
    this.#changed();
  }

  #changed(): void {
    this.#snapshot = this.#kept.map(({ upload }) => upload);
    for (const listener of this.#listeners) listener();
  }
}

export function isUnderWay({ state }: Upload): boolean {
  return state === "waiting" || state === "sending";
}

/** Of all files together, 0 to 1, by bytes; null where none is under way. */
export function progressOfAll(uploads: readonly Upload[]): number | null {
  const counted = uploads.filter((one) => isUnderWay(one) || one.state === "accepted");
  if (!counted.some(isUnderWay)) return null;
  const total = counted.reduce((sum, one) => sum + one.size, 0);
  return total === 0 ? 0 : counted.reduce((sum, one) => sum + one.sent, 0) / total;
}
