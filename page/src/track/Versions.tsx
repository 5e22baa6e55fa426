/** All that can be heard of a track, to be switched between by a click or a key. */
import { useEffect, useRef } from "react";
import type { Track, Version } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { SideScroll } from "../design/SideScroll.tsx";
import { measure, moment } from "../format.ts";
import { fullName, GROUPS, inOrder, keysOf, nameOf, title } from "./labels.ts";
import { labelOf } from "./madeAnew.ts";
import { usePlayer, usePlayerState } from "./usePlayer.ts";

export function Versions({ track }: { track: Track }) {
  const ordered = inOrder(track.versions);
  const keys = new Map([...keysOf(track.versions)].map(([key, version]) => [version.id, key]));
  return (
    <section className="versions" aria-label="Versions">
      <SideScroll className="version-row">
        {GROUPS.map(([group, usual]) => {
          const heading = group === "stems" && track.composed !== null ? "Stems, as composed" : usual;
          const members = ordered.filter((version) => version.group === group);
          if (members.length === 0) return null;
          const labels = new Set(members.map((version) => labelOf(version, track)));
          const common = labels.size === 1 ? [...labels][0] : "";
          return (
            <div key={group} className="version-group" role="group" aria-label={heading}>
              <h3 className="small soft">
                {heading} {common !== "" && <span className="badge active">{common}</span>}
              </h3>
              <div className="version-buttons">
                {members.map((version) => (
                  <VersionButton
                    key={version.id}
                    version={version}
                    shortcut={keys.get(version.id)}
                    label={labelOf(version, track)}
                    labelled={common !== ""}
                  />
                ))}
              </div>
            </div>
          );
        })}
      </SideScroll>
    </section>
  );
}

interface ButtonProps {
  version: Version;
  shortcut: string | undefined;
  /** What it is, where nobody played it. */
  label: string;
  /** Whether its group says so already. */
  labelled: boolean;
}

function VersionButton({ version, shortcut, label, labelled }: ButtonProps) {
  const player = usePlayer();
  const state = usePlayerState();
  const button = useRef<HTMLButtonElement>(null);
  const heard = !state.mixing && state.blend === null && !state.blind && state.version === version.id;
  const gain = player.gainOf(version.id);
  const loudness = version.loudness_lufs === null ? "" : measure(version.loudness_lufs, "LUFS");
  const made = version.current ? "" : moment(version.made_at);
  useEffect(() => {
    const place = button.current;
    if (heard && place !== null) showSideways(place);
  }, [heard]);
  return (
    <button
      ref={button}
      type="button"
      className="version"
      aria-pressed={heard}
      aria-keyshortcuts={shortcut}
      aria-label={[nameOf(version), label, made && `earlier, of ${made}`, loudness]
        .filter((part) => part !== "")
        .join(", ")}
      title={gain < -0.05 ? `Turned down by ${measure(-gain, "dB")} so that all are equally loud` : undefined}
      disabled={state.blind}
      onClick={() => {
        player.hear(version.id);
        announce(`You hear ${fullName(version)}`);
      }}
    >
      {shortcut !== undefined && (
        <kbd className="key" aria-hidden="true">
          {shortcut}
        </kbd>
      )}
      <span className="version-name">
        <span className="cut">
          {version.stem === null ? version.label : title(version.stem)}
          {label !== "" && !labelled && <span className="badge active">{label}</span>}
          {!version.current && <span className="badge">earlier</span>}
        </span>
        <span className="small figures soft cut">
          {[loudness, made].filter((part) => part !== "").join(" · ") || "–"}
          {heard && !state.settled && " · loading"}
        </span>
      </span>
    </button>
  );
}

/** Not scrollIntoView, which would move the page as well. */
function showSideways(button: HTMLElement): void {
  const row = button.closest<HTMLElement>(".version-row");
  if (row === null) return;
  const [place, around] = [button.getBoundingClientRect(), row.getBoundingClientRect()];
  if (place.left < around.left) row.scrollLeft += place.left - around.left - EDGE;
  else if (place.right > around.right) row.scrollLeft += place.right - around.right + EDGE;
}

const EDGE = 40; // pixels, so that it does not stand where the row fades out
