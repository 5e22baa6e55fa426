import { type ChangeEvent, useEffect, useRef, useState } from "react";
import { announce } from "../design/announce.tsx";
import { count } from "../format.ts";
import { useRemembered } from "../remembered.ts";
import { type Gathering, gatherChosen, gatherDropped } from "./gather.ts";
import { briefOf, PRESETS, type Preset } from "./presets.ts";
import type { Uploads } from "./uploads.ts";

export function DropZone({ uploads }: { uploads: Uploads }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [preset, setPreset] = useRemembered<Preset | "as set">("upload.preset", "as set");
  const [over, setOver] = useState(false);
  const [leftOut, setLeftOut] = useState(0);

  const take = (found: Gathering) => {
    uploads.addUnreadable(found.unreadable);
    uploads.add(found.files, briefOf(preset));
    setLeftOut(found.leftOut);
    const beside = found.leftOut > 0 ? `, ${count(found.leftOut, "other file")} left out` : "";
    announce(`${count(found.files.length, "file")} added${beside}`);
  };
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });

  // The whole window takes files: one that misses a small zone would replace the page by itself.
  useEffect(() => {
    let depth = 0; // enter and leave come for every element on the way
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent) => {
      if (!carriesFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!carriesFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      void gatherDropped(event.dataTransfer).then((found) => latest.current(found));
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", allow);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", allow);
      removeEventListener("drop", drop);
    };
  }, []);

  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    take(gatherChosen(event.target.files ?? []));
    event.target.value = ""; // the same file may be chosen again
  };

  return (
    <section className={over ? "card drop-zone over" : "card drop-zone"} aria-labelledby="drop-title">
      <h2 id="drop-title">{over ? "Let go to add them" : "Drop recordings here"}</h2>
      <p className="soft small">Files or whole folders, audio or video. Your files stay as they are.</p>
      <div className="drop-buttons">
        <button type="button" className="button primary" onClick={() => files.current?.click()}>
          Choose files
        </button>
        <button type="button" className="button" onClick={() => folder.current?.click()}>
          Choose a folder
        </button>
      </div>
      {/* The buttons open them; by themselves they are out of the way of keyboard and screen reader. */}
      <input ref={files} type="file" multiple hidden onChange={chosen} data-testid="files" />
      <input ref={folder} type="file" multiple hidden onChange={chosen} data-testid="folder" webkitdirectory="" />
      <label className="drop-preset small">
        <span>How far to go</span>
        <select
          className="field"
          value={preset}
          onChange={(event) => setPreset(event.target.value as Preset | "as set")}
          aria-describedby="preset-meaning"
        >
          <option value="as set">As set for this library</option>
          {PRESETS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p id="preset-meaning" className="soft small">
        {PRESETS.find(({ value }) => value === preset)?.meaning ?? "Balanced, where it says nothing."}
      </p>
      {leftOut > 0 && <p className="soft small">{count(leftOut, "file")} beside the recordings left out.</p>}
    </section>
  );
}
