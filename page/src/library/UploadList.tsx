import { useEffect, useRef } from "react";
import { Link } from "wouter";
import { announce } from "../design/announce.tsx";
import { count, size } from "../format.ts";
import { sentence } from "../stages.ts";
import { isUnderWay, progressOfAll, type Upload, type Uploads } from "./uploads.ts";

const SHOWN = 100; // of a folder with thousands, those that are at work or went wrong

export function UploadList({ uploads, all }: { uploads: Uploads; all: readonly Upload[] }) {
  const underWay = all.filter(isUnderWay);
  const wrong = all.filter((one) => one.state === "refused");
  const through = all.filter((one) => !isUnderWay(one));
  const shown = [...all].toSorted((one, other) => rank(one) - rank(other)).slice(0, SHOWN);
  useAnnouncements(all);
  return (
    <section className="card panel" aria-labelledby="uploads-title">
      <div className="panel-head">
        <h2 id="uploads-title">
          {underWay.length > 0 ? `Adding ${count(underWay.length, "file")}` : summary(all.length, wrong.length)}
        </h2>
        {underWay.length > 0 ? (
          <button type="button" className="button tight" onClick={() => uploads.stopAll()}>
            Stop all
          </button>
        ) : (
          <button
            type="button"
            className="button tight"
            onClick={() => uploads.forget(new Set(through.map(({ id }) => id)))}
          >
            Clear list
          </button>
        )}
      </div>
      {underWay.length > 1 && (
        <progress className="progress" value={progressOfAll(all) ?? 1} max={1} aria-label="All files" />
      )}
      <ul className="lines">
        {shown.map((one) => (
          <UploadLine key={one.id} uploads={uploads} one={one} />
        ))}
      </ul>
      {all.length > shown.length && <p className="soft small">and {count(all.length - shown.length, "more file")}</p>}
    </section>
  );
}

function UploadLine({ uploads, one }: { uploads: Uploads; one: Upload }) {
  const name = one.path.split("/").at(-1) ?? one.path;
  return (
    <li className={one.state === "refused" ? "line wrong" : "line"}>
      <div className="line-head">
        {one.accepted === null ? (
          <span className="cut" title={one.path}>
            {name}
          </span>
        ) : (
          <Link className="cut" title={one.path} href={`/tracks/${one.accepted.track}`}>
            {name}
          </Link>
        )}
        {isUnderWay(one) && (
          <button type="button" className="button quiet tight" onClick={() => uploads.stop(one.id)}>
            Stop<span className="unseen"> adding {name}</span>
          </button>
        )}
        {one.state === "stopped" && (
          <button type="button" className="button quiet tight" onClick={() => uploads.again(one.id)}>
            Again<span className="unseen">: {name}</span>
          </button>
        )}
        {one.state === "refused" && (
          <button
            type="button"
            className="button quiet tight"
            onClick={() => uploads.forget(new Set([one.id]))}
            aria-label={`Dismiss ${name}`}
          >
            ✕
          </button>
        )}
      </div>
      {one.state === "sending" && (
        <progress className="progress" value={one.sent} max={one.size} aria-label={`Adding ${name}`} />
      )}
      <p className="small soft">{lineOf(one)}</p>
    </li>
  );
}

function lineOf(one: Upload): string {
  switch (one.state) {
    case "waiting":
      return `${size(one.size)}, waits`;
    case "sending":
      return one.sent < one.size ? `${size(one.sent)} of ${size(one.size)}` : "It is there and being looked at";
    case "accepted":
      return "Added";
    case "stopped":
      return "Stopped, nothing of it was kept";
    case "refused":
      return withoutName(one) ?? "It can't be used.";
  }
}

/** What the server says of a file begins with its name, which stands above it. */
function withoutName({ reason, path }: Upload): string | null {
  const name = `${path.split("/").at(-1)}: `;
  return reason?.startsWith(name) ? sentence(reason.slice(name.length)) : reason;
}

function rank(one: Upload): number {
  return { sending: 0, refused: 1, stopped: 2, waiting: 3, accepted: 4 }[one.state];
}

function summary(all: number, wrong: number): string {
  if (wrong === 0) return `${count(all, "file")} done`;
  return wrong === all ? `${count(all, "file")} can't be used` : `${wrong} of ${count(all, "file")} can't be used`;
}

/** Tells each file that can't be used, and once when all are through. */
function useAnnouncements(all: readonly Upload[]): void {
  const told = useRef(new Set<number>());
  const wasUnderWay = useRef(false);
  useEffect(() => {
    const isNow = all.some(isUnderWay);
    for (const one of all) {
      if (one.state !== "refused" || told.current.has(one.id)) continue;
      told.current.add(one.id);
      announce(`${one.path}: ${lineOf(one)}`);
    }
    if (wasUnderWay.current && !isNow) announce(summary(all.length, all.filter((one) => one.state === "refused").length));
    wasUnderWay.current = isNow;
  }, [all]);
}
