import type { AbxRecord, Track } from "../../api/schema.ts";
import { moment } from "../../format.ts";
import { nameOf, title } from "../labels.ts";
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
          <div className="scrolled">
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
                    <td>{named(track, test.a)}</td>
                    <td>{named(track, test.b)}</td>
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
          </div>
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

/** Kept by what it was then, which may be what is heard now or an earlier result. */
function named(track: Track, id: string): string {
  const plain = id.split("@")[0] as string;
  const version = track.versions.find((one) => one.id === id) ?? track.versions.find((one) => one.id === plain);
  return version === undefined ? title(plain) : nameOf(version);
}
