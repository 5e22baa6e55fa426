/** What was done and why, stage by stage. */
import type { StageReport, Track } from "../api/schema.ts";
import { measure, moment, size, typeset } from "../format.ts";
import { madeBy, sentence } from "../stages.ts";
import { measured } from "./labels.ts";
import { measuresBeside } from "./restoration.ts";
import { Steps } from "./Steps.tsx";

export function StagesPanel({ track }: { track: Track }) {
  if (track.stages.length === 0) return <p className="soft">Nothing was done yet.</p>;
  return (
    <ol className="stages">
      {track.stages.map((stage) => (
        <Stage key={stage.stage} stage={stage} offersAnew={stage.stage === "restored_track" && track.composed === null} />
      ))}
    </ol>
  );
}

function Stage({ stage, offersAnew }: { stage: StageReport; offersAnew: boolean }) {
  const notes = stage.notes.filter((note) => !stage.warnings.includes(note));
  return (
    <li className="card stage">
      <div className="stage-head">
        <h3>{sentence(madeBy(stage.stage))}</h3>
        {stage.changed === true && <span className="badge active">changed the sound</span>}
        {stage.changed === false && <span className="badge">left the sound as it was</span>}
        {stage.warnings.length > 0 && <span className="badge warning">warning</span>}
        <span className="small soft stage-facts">
          {[stage.engine, measure(stage.seconds, "s"), moment(stage.made_at)].filter((part) => part !== "").join(" · ")}
        </span>
        {stage.dagster_url !== null && (
          <a className="small" href={stage.dagster_url} target="_blank" rel="noreferrer">
            Dagster <span aria-hidden="true">↗</span>
            <span className="unseen"> on {madeBy(stage.stage)} (opens a new tab)</span>
          </a>
        )}
      </div>
      {stage.warnings.length > 0 && (
        <ul className="warning-lines">
          {stage.warnings.map((line) => (
            <li key={line}>{typeset(line)}</li>
          ))}
        </ul>
      )}
      {notes.length > 0 && (
        <ul className="notes-lines small">
          {notes.map((line) => (
            <li key={line}>{typeset(line)}</li>
          ))}
        </ul>
      )}
      {offersAnew && (
        <p className="small soft">Where restoring is not enough, “Before and after” has the recording made anew beside it.</p>
      )}
      {stage.steps !== null && <Steps steps={stage.steps} />}
      <Details stage={stage} />
    </li>
  );
}

function Details({ stage }: { stage: StageReport }) {
  const measures = measuresBeside(stage);
  if (measures.length === 0 && stage.results.length === 0 && stage.picture_url === null) return null;
  return (
    <details className="small">
      <summary>Measurements and files</summary>
      {stage.picture_url !== null && (
        <img className="stage-picture" src={stage.picture_url} alt={`What ${madeBy(stage.stage)} looks like`} loading="lazy" />
      )}
      {measures.length > 0 && (
        <dl className="measures figures">
          {measures.map(([name, value]) => (
            <div key={name}>
              <dt>{measured(name)}</dt>
              <dd>{valueOf(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {stage.results.length > 0 && (
        <ul className="files">
          {stage.results.map((result) => (
            <li key={result.url}>
              <a href={result.url} download>
                {result.name}
              </a>{" "}
              <span className="soft figures">{size(result.size)}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

function valueOf(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(Math.round(value * 1000) / 1000).replace("-", "−");
  return value;
}
