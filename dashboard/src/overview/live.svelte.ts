// The overview, asked for again and again while somebody looks.

import { ApiError, get, type Tagged } from "../api/client";
import type { Overview } from "../api/schema";
import { session } from "../shell/session.svelte";
import type { Window } from "./view";

/** Shortest pause between two questions. */
const PAUSE_MS = 3000;
/** Asking takes at most a tenth of the time, for the server's sake and the viewer's. */
const REST = 9;
/** Longest pause after a question that was not answered. */
const LONGEST_PAUSE_MS = 30_000;
/** Longest wait for an answer. */
const PATIENCE_MS = 30_000;

export class Live {
  /** The last answer; `null` before the first. */
  overview = $state.raw<Overview | null>(null);
  /** Why the last question was not answered; empty when it was. */
  trouble = $state("");
  /** When the last answer came, by the viewer's clock. */
  heard = $state(0);
  /** What the server's clock is ahead of the viewer's. */
  ahead = 0;

  #window: Window;
  #known: Tagged<Overview> | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  constructor(window: Window) {
    this.#window = window;
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

  setWindow(window: Window): void {
    if (window === this.#window) return;
    this.#window = window;
    this.#known = null;
    this.start();
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const begin = performance.now();
    try {
      this.#take(await get<Overview>(`/api/v1/overview?window=${this.#window}`, session.token, this.#known, signal));
    } catch (error) {
      if (asking.signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        session.refuse(error.message);
        return;
      }
      this.#failures += 1;
      this.trouble = error instanceof ApiError ? error.message : "The server does not answer.";
    }
    const took = performance.now() - begin;
    const pause = Math.max(PAUSE_MS, took * REST) * 2 ** Math.min(this.#failures, 4);
    this.#timer = setTimeout(() => void this.#ask(), Math.min(pause, LONGEST_PAUSE_MS));
  }

  #take(answer: Tagged<Overview>): void {
    const isNew = answer !== this.#known;
    this.#known = answer;
    this.#failures = 0;
    this.trouble = "";
    this.heard = Date.now();
    if (isNew) {
      this.ahead = Date.parse(answer.body.to) - this.heard;
      this.overview = answer.body;
    }
  }
}
