// Asking the API.

import type { Problem } from "./schema";

/** An answer that is not the one that was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? `The server answered with the status ${status}.`);
  }
}

/** What is said of a question that was not answered. */
export function complaintOf(error: unknown): string {
  return error instanceof ApiError ? error.message : "The server does not answer.";
}

/** Something with a tag, as it was last. */
export interface Tagged<T> {
  tag: string | null;
  body: T;
}

/**
 * The JSON of a path. With what is known already, that is returned again when it is still right. A
 * server that does not answer is a `TypeError`, as `fetch` has it.
 */
export async function get<T>(path: string, token: string | null, known: Tagged<T> | null, signal: AbortSignal): Promise<Tagged<T>> {
  const headers = new Headers({ Accept: "application/json" });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (known?.tag) headers.set("If-None-Match", known.tag);
  // The browser's own cache would keep megabytes that nobody asks for again.
  const response = await fetch(path, { headers, signal, cache: "no-store" });
  if (response.status === 304 && known) return known;
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return { tag: response.headers.get("ETag"), body: (await response.json()) as T };
}

/** What is sent besides the path. */
export interface Message {
  /** A value that is sent as JSON, or a text of the `type`. */
  body?: unknown;
  type?: string;
  /** The tag of the version that is to be changed. */
  match?: string | null;
}

/** Changes something, or has something done. Where the answer is empty, its body is `null`. */
export async function send<T>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  token: string | null,
  message: Message,
  signal: AbortSignal,
): Promise<Tagged<T | null>> {
  const headers = new Headers({ Accept: "application/json" });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (message.match) headers.set("If-Match", message.match);
  if (message.body !== undefined) headers.set("Content-Type", message.type ?? "application/json");
  const body = message.type === undefined ? JSON.stringify(message.body) : String(message.body);
  const response = await fetch(path, { method, headers, signal, cache: "no-store", ...(message.body !== undefined && { body }) });
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  const isEmpty = response.status === 204;
  return { tag: response.headers.get("ETag"), body: isEmpty ? null : ((await response.json()) as T) };
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  return isProblem ? ((await response.json()) as Problem) : undefined;
}
