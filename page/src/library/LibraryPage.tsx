/** The library: files dropped, jobs watched, tracks found. */
import { useSyncExternalStore } from "react";
import { CacheCard } from "./CacheCard.tsx";
import { DropZone } from "./DropZone.tsx";
import "./library.css";
import { Queue } from "./Queue.tsx";
import { Rejections } from "./Rejections.tsx";
import { sendFile } from "./send.ts";
import { TrackList } from "./TrackList.tsx";
import { UploadList } from "./UploadList.tsx";
import { isUnderWay, Uploads } from "./uploads.ts";

// Outlives the page, so that uploads go on while a track is looked at.
const uploads = new Uploads(sendFile);

addEventListener("beforeunload", (event) => {
  if (uploads.all().some(isUnderWay)) event.preventDefault(); // the browser asks
});

export function LibraryPage() {
  const all = useSyncExternalStore(uploads.subscribe, uploads.all);
  return (
    <div className="library">
      <title>Library – Resonate</title>
      <h1 className="unseen">Library</h1>
      <div className="library-side">
        <DropZone uploads={uploads} />
        {all.length > 0 && <UploadList uploads={uploads} all={all} />}
        <Queue />
        <Rejections />
        <CacheCard />
      </div>
      <TrackList />
    </div>
  );
}
