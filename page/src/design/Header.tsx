import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { answer, api } from "../api/client.ts";
import { useConnected } from "../api/events.ts";
import "./header.css";
import { ThemeToggle } from "./ThemeToggle.tsx";

const OPENED = Date.now();
const STARTS_MS = 45_000; // what carries out runs shows its first sign of life within that

export function Header() {
  const health = useQuery({
    queryKey: ["health"],
    queryFn: () => answer(api.GET("/api/v1/health")),
    refetchInterval: (query) => (query.state.data?.runs === true ? 60_000 : 5_000), // what runs need takes its time to start
  });
  const connected = useConnected();
  return (
    <header className="header">
      <Link href="/" className="home">
        <img src="/icon.svg" alt="" width={26} height={26} />
        Resonate
      </Link>
      <div className="header-right">
        {!connected && (
          <span className="badge warning" role="status">
            No connection, trying again
          </span>
        )}
        {health.data?.runs === false &&
          (health.dataUpdatedAt - OPENED < STARTS_MS ? (
            <span className="badge" role="status" title="What is asked for waits until all is up">
              Starting up…
            </span>
          ) : (
            <span className="badge warning" role="status" title="Start `resonate studio` or `make dev`">
              Nothing is being processed now
            </span>
          ))}
        {health.data?.dagster_url && (
          <a className="button quiet" href={health.data.dagster_url} target="_blank" rel="noreferrer">
            Dagster <span aria-hidden="true">↗</span>
            <span className="unseen"> (opens a new tab)</span>
          </a>
        )}
        <ThemeToggle />
      </div>
    </header>
  );
}
