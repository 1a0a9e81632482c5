// An answer of the API, asked for again and again while somebody looks.

import { ApiError, complaintOf, get, type Tagged } from "../api/client";
import { session } from "./session.svelte";

/** Shortest pause between two questions. */
const PAUSE_MS = 3000;
/** Asking takes at most a tenth of the time, for the server's sake and the viewer's. */
const REST = 9;
/** Longest pause after a question that was not answered. */
const LONGEST_PAUSE_MS = 30_000;
/** Longest wait for an answer. */
const PATIENCE_MS = 30_000;

export class Live<T> {
  /** The last answer; `null` before the first. */
  answer = $state.raw<T | null>(null);
  /** Why the last question was not answered; empty when it was. */
  trouble = $state("");
  /** When the last answer came, by the viewer's clock. */
  heard = $state(0);
  /** The status of the last answer that was none; 0 where there was not even one. */
  status = $state(0);
  /** The path that the last answer is of. */
  answered = $state("");

  #path: string;
  /** Shortest pause after an answer; `null` asks no more once there is one. */
  #pause: number | null;
  #known: Tagged<T> | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  constructor(path: string, pause: number | null = PAUSE_MS) {
    this.#path = path;
    this.#pause = pause;
  }

  /** Asks now, and goes on until `stop`. */
  start(): void {
    this.stop();
    if (!document.hidden) void this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  /** Asks for something else, at most so often. What is shown stays until that is there. */
  setPath(path: string, pause: number | null = this.#pause): void {
    this.#pause = pause;
    if (path === this.#path) return;
    this.#path = path;
    this.#known = null;
    this.start();
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const begin = performance.now();
    try {
      this.#take(await get<T>(this.#path, session.token, this.#known, signal));
    } catch (error) {
      if (asking.signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        session.refuse(error.message);
        return;
      }
      this.#failures += 1;
      this.status = error instanceof ApiError ? error.status : 0;
      this.trouble = complaintOf(error);
    }
    const took = performance.now() - begin;
    this.#timer = this.#next(took);
  }

  #next(took: number): ReturnType<typeof setTimeout> | undefined {
    if (this.#failures === 0 && this.#pause === null) return undefined;
    const pause = Math.max(this.#failures > 0 ? PAUSE_MS : (this.#pause ?? 0), took * REST);
    const longest = Math.max(LONGEST_PAUSE_MS, this.#pause ?? 0);
    return setTimeout(() => void this.#ask(), Math.min(pause * 2 ** Math.min(this.#failures, 4), longest));
  }

  #take(answer: Tagged<T>): void {
    this.#known = answer;
    this.#failures = 0;
    this.trouble = "";
    this.heard = Date.now();
    this.answered = this.#path;
    this.answer = answer.body;
  }
}
