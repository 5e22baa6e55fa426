/** The library: files dropped, words composed, jobs watched, tracks found. */
import { useSyncExternalStore } from "react";
import { ComposeCard } from "../compose/ComposeCard.tsx";
import { useMedia } from "../design/useMedia.ts";
import { CacheCard } from "./CacheCard.tsx";
import { DropZone } from "./DropZone.tsx";
import "./library.css";
import { Queue } from "./Queue.tsx";
import { Rejections } from "./Rejections.tsx";
import { sendFile } from "./send.ts";
import { TrackList } from "./TrackList.tsx";
import { UploadList } from "./UploadList.tsx";
import { isUnderWay, Uploads } from "./uploads.ts";

const NARROW = matchMedia("(width < 60rem)"); // one column, as in library.css

// Outlives the page, so that uploads go on while a track is looked at.
const uploads = new Uploads(sendFile);

addEventListener("beforeunload", (event) => {
  if (uploads.all().some(isUnderWay)) event.preventDefault(); // the browser asks
});

export function LibraryPage() {
  const all = useSyncExternalStore(uploads.subscribe, uploads.all);
  const narrow = useMedia(NARROW);
  const adding = (
    <>
      <DropZone uploads={uploads} />
      <ComposeCard />
      {all.length > 0 && <UploadList uploads={uploads} all={all} />}
    </>
  );
  // In the order in which they are gone through by keyboard: the list before what stands beside it, and in one column
  // only what adds to it above.
  return (
    <div className="library">
      <title>Library – Resonate</title>
      <h1 className="unseen">Library</h1>
      {narrow && <div className="library-side">{adding}</div>}
      <TrackList />
      <div className="library-side">
        {!narrow && adding}
        <Queue />
        <Rejections />
        <CacheCard />
      </div>
    </div>
  );
}
