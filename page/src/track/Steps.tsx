/** Steps of a restoration, of the track or stem by stem: why, by whom, what came of it, and before and after. */
import type { RestorationStep } from "../api/schema.ts";
import { SideScroll } from "../design/SideScroll.tsx";
import { typeset } from "../format.ts";
import { sentence } from "../stages.ts";
import { title } from "./labels.ts";
import { idleLines, keptOf, movedBy } from "./restoration.ts";

export function Steps({ steps }: { steps: Readonly<Record<string, readonly RestorationStep[]>> }) {
  const recordings = Object.entries(steps);
  const done = recordings.flatMap(([name, each]) => each.filter((step) => !step.nothing_found).map((step) => ({ name, step })));
  const whole = recordings.length === 1 && recordings[0]?.[0] === "track";
  const idle = idleLines(steps);
  return (
    <div className="small steps">
      {done.length > 0 && (
        <SideScroll>
          <table className="table">
            <caption className="unseen">Step by step</caption>
            <thead>
              <tr>
                {!whole && <th scope="col">Stem</th>}
                <th scope="col">Step</th>
                <th scope="col">Why</th>
                <th scope="col">By</th>
                <th scope="col">What came of it</th>
                <th scope="col">Before → after</th>
              </tr>
            </thead>
            <tbody>
              {done.map(({ name, step }) => (
                <tr key={`${name} ${step.step}`}>
                  {!whole && <td>{title(name)}</td>}
                  <th scope="row">
                    {sentence(step.subject)} <span className="soft">{step.step}</span>
                  </th>
                  <td>{typeset(sentence(step.reason))}</td>
                  <td>{step.engine === "" ? "–" : step.engine}</td>
                  <td>
                    {typeset(sentence(step.note))} <span className="soft">({keptOf(step)})</span>
                  </td>
                  <td>{step.aim === null ? "–" : `${sentence(step.aim.name)}: ${movedBy(step.aim)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </SideScroll>
      )}
      {idle.map((line) => (
        <p key={line} className="soft">
          {line}
        </p>
      ))}
    </div>
  );
}
