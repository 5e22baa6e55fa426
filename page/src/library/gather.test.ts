import { expect, test } from "vitest";
import { gatherChosen, gatherDropped, liesBesideRecordings } from "./gather.ts";

test("covers, lists and what systems leave lie beside recordings; audio and video never do", () => {
  const beside = ["cover.JPG", "album.cue", "list.m3u8", ".DS_Store", "._song.wav", "Thumbs.db", "notes.txt", "song.brief.toml"];
  const recordings = ["song.wav", "song.FLAC", "take.m4a", "live.mp4", "phone.amr", "old.wma", "no extension", "jpg", "x.jpg.mp3"];
  expect(beside.filter((name) => !liesBesideRecordings(name))).toEqual([]);
  expect(recordings.filter(liesBesideRecordings)).toEqual([]);
});

function chosen(name: string, folder = ""): File {
  const file = new File(["x"], name);
  Object.defineProperty(file, "webkitRelativePath", { value: folder === "" ? "" : `${folder}/${name}` });
  return file;
}

test("of a chosen folder what lies beside is left out and counted; a file chosen by itself goes to the server", () => {
  const found = gatherChosen([chosen("a.wav", "album"), chosen("cover.jpg", "album"), chosen("alone.txt")]);
  expect(found.files.map(({ path }) => path)).toEqual(["album/a.wav", "alone.txt"]);
  expect(found.leftOut).toBe(1);
});

type Tree = { [name: string]: Tree | "file" | "locked" };

function entry(name: string, content: Tree | "file" | "locked"): FileSystemEntry {
  if (typeof content === "string") {
    const file = (resolve: (file: File) => void, reject: (error: Error) => void) =>
      content === "file" ? resolve(new File(["x"], name)) : reject(new Error("permission denied"));
    return { name, isDirectory: false, isFile: true, file } as unknown as FileSystemEntry;
  }
  const left = Object.entries(content).map(([inner, below]) => entry(inner, below));
  // Browsers give a hundred at a time; here two.
  const readEntries = (resolve: (entries: FileSystemEntry[]) => void) => resolve(left.splice(0, 2));
  return { name, isDirectory: true, isFile: false, createReader: () => ({ readEntries }) } as unknown as FileSystemEntry;
}

test("dropped folders are walked to the end, with what can't be read told", async () => {
  const album = { "1.wav": "file", "2.wav": "file", "3.wav": "file", art: { "front.png": "file" }, live: { "4.wav": "locked", "5.wav": "file" } } as const;
  const dropped = [entry("album", album), entry("single.mp3", "file")];
  const items = dropped.map((one) => ({ kind: "file", webkitGetAsEntry: () => one }));
  const found = await gatherDropped({ items: [{ kind: "string" }, ...items] } as unknown as DataTransfer);
  expect(found.files.map(({ path }) => path)).toEqual(["album/1.wav", "album/2.wav", "album/3.wav", "album/live/5.wav", "single.mp3"]);
  expect(found.leftOut).toBe(1);
  expect(found.unreadable).toEqual([{ path: "album/live/4.wav", reason: "permission denied" }]);
});
