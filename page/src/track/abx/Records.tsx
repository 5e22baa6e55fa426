import type { AbxRecord, Track } from "../../api/schema.ts";
import { SideScroll } from "../../design/SideScroll.tsx";
import { moment } from "../../format.ts";
import { fullName, nameOf, title } from "../labels.ts";
import { chanceText } from "./trials.ts";

interface Props {
  track: Track;
  tests: readonly AbxRecord[];
  problem: string | null;
}

/** Tests that were done with this track. */
export function Records({ track, tests, problem }: Props) {
  const path = `/api/v1/tracks/${encodeURIComponent(track.summary.track)}/abx/export`;
  return (
    <section className="card block-card" aria-labelledby="abx-kept">
      <h2 id="abx-kept">Tests done</h2>
      {problem !== null && <p role="alert">{problem}</p>}
      {tests.length === 0 ? (
        <p className="soft small">None yet.</p>
      ) : (
        <>
          <SideScroll>
            <table className="table small">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">A</th>
                  <th scope="col">B</th>
                  <th scope="col">Listener</th>
                  <th scope="col">Right</th>
                  <th scope="col">By chance</th>
                </tr>
              </thead>
              <tbody>
                {tests.toReversed().map((test) => (
                  <tr key={test.id}>
                    <td>{moment(test.at)}</td>
                    <td>{named(track, test.a, test.at)}</td>
                    <td>{named(track, test.b, test.at)}</td>
                    <td>{test.listener}</td>
                    <td className="figures">
                      {test.right} of {test.trials.length}
                    </td>
                    <td className="figures">
                      {chanceText(test.p)}
                      {test.loudness_matched === false && " (not loudness-matched)"}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </SideScroll>
          <p className="abx-row">
            <a className="button tight" href={`${path}?format=csv`} download>
              Export as CSV
            </a>
            <a className="button tight" href={`${path}?format=json`} download>
              Export as JSON
            </a>
          </p>
        </>
      )}
    </section>
  );
}

/** Kept by what it was then: an earlier result, what is heard now, or one that was removed since. */
function named(track: Track, id: string, at: string): string {
  const plain = id.split("@")[0] as string;
  const earlier = track.versions.find((one) => one.id === id && !one.current);
  if (earlier !== undefined) return fullName(earlier);
  const now = track.versions.find((one) => one.id === plain);
  // What was made after the test can't be what was heard in it.
  if (now !== undefined && Date.parse(now.made_at) <= Date.parse(at)) return nameOf(now);
  return `${now === undefined ? title(plain) : nameOf(now)}, no longer there`;
}
