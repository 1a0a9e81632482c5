// A list that comes in pages, the newest first, whose first page is asked for again and again.

import { complaintOf, get } from "../api/client";
import { ask } from "./ask.svelte";
import type { Live } from "./live.svelte";
import { merged } from "./merged";
import { session } from "./session.svelte";

/** Longest wait for a further page. */
const PATIENCE_MS = 30_000;

interface Page<T> {
  items: T[];
  next?: string | null;
}

export class Pages<T> {
  items = $state.raw<readonly T[]>([]);
  /** Where it goes on; `null` at the end. */
  next = $state.raw<string | null>(null);
  asking = $state(false);
  /** Why the last further page did not come; empty when it did. */
  trouble = $state("");

  #path = "";
  #isLonger = false;

  constructor(
    readonly live: Live<Page<T>>,
    readonly keyOf: (item: T) => string,
  ) {}

  /** Takes a first page. What was asked for beyond it stays, unless the two do not meet any more. */
  take(path: string, page: Page<T>): void {
    const all = path === this.#path && this.#isLonger ? merged(page.items, this.items, this.keyOf) : null;
    this.items = all ?? page.items;
    if (all !== null) return;
    this.#path = path;
    this.#isLonger = false;
    this.next = page.next ?? null;
    this.trouble = "";
  }

  async more(): Promise<void> {
    if (this.next === null || this.asking) return;
    const path = this.#path;
    this.asking = true;
    try {
      const { body } = await get<Page<T>>(this.next, session.token, null, AbortSignal.timeout(PATIENCE_MS));
      if (path === this.#path) this.#append(body);
    } catch (error) {
      this.trouble = complaintOf(error);
    } finally {
      this.asking = false;
    }
  }

  #append(page: Page<T>): void {
    const known = new Set(this.items.map(this.keyOf));
    this.items = [...this.items, ...page.items.filter((item) => !known.has(this.keyOf(item)))];
    this.next = page.next ?? null;
    this.trouble = "";
    this.#isLonger = true;
  }
}

export function askPages<T>(path: () => string, pause: () => number | null, keyOf: (item: T) => string): Pages<T> {
  const live = ask<Page<T>>(path, pause);
  const pages = new Pages(live, keyOf);
  $effect(() => {
    if (live.answer !== null) pages.take(live.answered, live.answer);
  });
  return pages;
}
