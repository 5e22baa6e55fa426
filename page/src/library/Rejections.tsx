import { useQuery } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import { moment } from "../format.ts";

const SHOWN = 200;

/** Files that can't be used, from here and from the inbox. */
export function Rejections() {
  const known = useQuery({ queryKey: ["rejections"], queryFn: () => answer(api.GET("/api/v1/rejections")) });
  const files = known.data?.files ?? [];
  if (files.length === 0) return null;
  return (
    <details className="card panel">
      <summary>
        <h2>Files that can't be used</h2> <span className="badge warning">{files.length}</span>
      </summary>
      <ul className="lines">
        {files.slice(0, SHOWN).map((file) => (
          <li key={`${file.name} ${file.at}`} className="line">
            <p className="wrap">{file.name}</p>
            <p className="small soft wrap">{file.reason}</p>
            <p className="small soft">
              <time dateTime={file.at}>{moment(file.at)}</time>
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}
