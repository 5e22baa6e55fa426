/** The API, typed by its own description: api.GET("/api/v1/tracks/{track}", { params: { path: { track } } }). */
import createClient from "openapi-fetch";
import type { Problem, paths } from "./schema.ts";

export const api = createClient<paths>({ baseUrl: "/" });

/** What the server would not do, in one line for a person. */
export class ProblemError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.name = "ProblemError";
    this.status = status;
  }
}

/** The data of an answer; throws a ProblemError where it is no success. For queries and mutations. */
export async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new ProblemError(response.status, detailOf(error, response.status));
  return data as T;
}

export function detailOf(problem: unknown, status: number): string {
  if (typeof problem === "object" && problem !== null && "detail" in problem) {
    const { detail } = problem as Problem;
    if (typeof detail === "string" && detail !== "") return detail;
  }
  return `The server answered ${status}.`;
}

/** One line for a person, of whatever was thrown. */
export function lineOf(thrown: unknown): string {
  if (thrown instanceof ProblemError) return thrown.message;
  if (thrown instanceof TypeError) return "The server does not answer. Is Resonate running?"; // fetch's network error
  return thrown instanceof Error ? thrown.message : String(thrown);
}
