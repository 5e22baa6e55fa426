/** All that can be heard of a track, to be switched between by a click or a key. */
import type { Track, Version } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { measure, moment } from "../format.ts";
import { GROUPS, inOrder, nameOf, title } from "./labels.ts";
import { usePlayer, usePlayerState } from "./usePlayer.ts";

export const KEYS = 9;

export function Versions({ track }: { track: Track }) {
  const ordered = inOrder(track.versions);
  return (
    <section className="versions" aria-label="Versions">
      {GROUPS.map(([group, heading]) => {
        const members = ordered.filter((version) => version.group === group);
        if (members.length === 0) return null;
        return (
          <div key={group} className="version-group" role="group" aria-label={heading}>
            <h3 className="small soft">
              {heading} {members.every((version) => version.generated) && <span className="badge active">AI-generated</span>}
            </h3>
            <div className="version-row">
              {members.map((version) => (
                <VersionButton
                  key={version.id}
                  version={version}
                  number={ordered.indexOf(version) + 1}
                  labelled={members.every((member) => member.generated)}
                />
              ))}
            </div>
          </div>
        );
      })}
    </section>
  );
}

interface ButtonProps {
  version: Version;
  number: number;
  /** Whether its group says already that it is generated. */
  labelled: boolean;
}

function VersionButton({ version, number, labelled }: ButtonProps) {
  const player = usePlayer();
  const state = usePlayerState();
  const heard = !state.mixing && !state.blind && state.version === version.id;
  const gain = player.gainOf(version.id);
  return (
    <button
      type="button"
      className="version"
      aria-pressed={heard}
      aria-keyshortcuts={number <= KEYS ? String(number) : undefined}
      aria-label={[
        nameOf(version),
        version.generated ? "AI-generated" : "",
        version.current ? "" : `earlier, of ${moment(version.made_at)}`,
        version.loudness_lufs === null ? "" : `${measure(version.loudness_lufs, "LUFS")}`,
      ]
        .filter((part) => part !== "")
        .join(", ")}
      title={gain < -0.05 ? `Turned down by ${measure(-gain, "dB")} so that all are equally loud` : undefined}
      disabled={state.blind}
      onClick={() => {
        player.hear(version.id);
        announce(`You hear ${nameOf(version)}`);
      }}
    >
      {number <= KEYS && (
        <kbd className="key" aria-hidden="true">
          {number}
        </kbd>
      )}
      <span className="version-name">
        <span className="cut">{version.stem === null ? version.label : title(version.stem)}</span>
        <span className="small figures soft cut">
          {version.current ? measure(version.loudness_lufs, "LUFS") : moment(version.made_at)}
          {heard && !state.settled && " · loading"}
        </span>
      </span>
      {version.generated && !labelled && <span className="badge active">AI-generated</span>}
      {!version.current && <span className="badge">earlier</span>}
    </button>
  );
}
