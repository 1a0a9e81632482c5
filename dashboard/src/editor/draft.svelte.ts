// A site that is being written: what is in the form, what was read, and what the server said.

import { ApiError, complaintOf, get, send, type Tagged } from "../api/client";
import type { Probe, Site, Stored } from "../api/schema";
import { probe } from "../check/probe";
import { session } from "../shell/session.svelte";
import { complaintsOf, fromErrors, type Complaint } from "./complaints";
import { merged } from "./difference";
import { emptyForm, formOf, siteOf, unsendable, type Fields, type Form } from "./form";

/** Longest wait for an answer. */
const PATIENCE_MS = 30_000;

export type Task = "load" | "save" | "switch" | "delete" | "try";

/** One check, and of what. */
export interface Trial {
  probe: Probe;
  of: string;
}

export class Draft {
  readonly id: number | null;
  form = $state<Form>(emptyForm());
  /** The site as it was read; `null` for a new one. */
  stored = $state.raw<Stored | null>(null);
  complaints = $state.raw<Complaint[]>([]);
  /** What is wrong, in one sentence; empty when nothing is. */
  trouble = $state("");
  task = $state<Task | null>(null);
  /** Whether there is no such site, or none any more. */
  isGone = $state(false);
  /** What somebody else has made of it meanwhile. */
  theirs = $state.raw<Stored | null>(null);
  trial = $state.raw<Trial | null>(null);

  #clean = $state("{}");
  #trying: AbortController | undefined;

  fields = $derived(JSON.stringify(siteOf(this.form)));
  dirty = $derived(this.fields !== this.#clean);

  constructor(id: number | null) {
    this.id = id;
  }

  /** The site as it was before anything was changed. */
  get before(): Form {
    return this.stored === null ? emptyForm() : formOf(this.stored.site);
  }

  async load(): Promise<void> {
    const read = await this.#do("load", (signal) => get<Stored>(this.#path, session.token, null, signal));
    if (read) this.take(read.body);
  }

  /** Shows a site, and forgets what was written. */
  take(stored: Stored): void {
    this.stored = stored;
    this.theirs = null;
    this.form = formOf(stored.site);
    this.#clean = this.fields;
    this.#quiet();
  }

  /** Goes on from what somebody else has made of it, with what was changed here. */
  join(theirs: Stored): void {
    const mine = merged(this.before, formOf(theirs.site), $state.snapshot(this.form) as Form);
    this.take(theirs);
    this.form = mine;
  }

  /** Stores the site; returns it when that is done. */
  async save(over: Stored | null = this.stored): Promise<Stored | null> {
    if (!this.#isSendable()) return null;
    const method = this.id === null ? "POST" : "PUT";
    const saved = await this.#change("save", method, siteOf(this.form), over);
    if (saved?.body) this.take(saved.body);
    return saved?.body ?? null;
  }

  /** Checks the site or not, and changes nothing else of it. What is in the form stays there. */
  async setEnabled(enabled: boolean): Promise<void> {
    if (this.stored === null) return;
    const written = $state.snapshot(this.form) as Form;
    const changed = await this.#change("switch", "PUT", { ...this.stored.site, enabled }, this.stored);
    if (!changed?.body) return;
    this.take(changed.body);
    this.form = { ...written, texts: { ...written.texts, enabled: this.form.texts.enabled } };
  }

  /** Removes the site; says whether that is done. */
  async remove(): Promise<boolean> {
    return (await this.#change("delete", "DELETE", undefined, this.stored)) !== null;
  }

  /** One check of what is in the form. */
  async try(): Promise<void> {
    if (!this.#isSendable()) return;
    const of = this.fields;
    this.#trying = new AbortController();
    const stopped = this.#trying.signal;
    const answer = await this.#do("try", () => probe(siteOf(this.form), stopped));
    if (answer) this.trial = { probe: answer, of };
    else if (stopped.aborted) this.#quiet();
  }

  stopTrying(): void {
    this.#trying?.abort();
  }

  get #path(): string {
    return this.id === null ? "/api/v1/sites" : `/api/v1/sites/${this.id}`;
  }

  #change(task: Task, method: "POST" | "PUT" | "DELETE", body: Fields | Site | undefined, over: Stored | null): Promise<Tagged<Stored | null> | null> {
    const match = over === null ? null : `"${over.version}"`;
    return this.#do(task, (signal) => send<Stored>(method, this.#path, session.token, { body, match }, signal));
  }

  async #do<T>(task: Task, ask: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    if (this.task !== null) return null;
    this.#quiet();
    this.task = task;
    try {
      return await ask(AbortSignal.timeout(PATIENCE_MS));
    } catch (error) {
      await this.#hear(task, error);
      return null;
    } finally {
      this.task = null;
    }
  }

  async #hear(task: Task, error: unknown): Promise<void> {
    if (!(error instanceof ApiError)) {
      const isChange = task !== "load" && task !== "try";
      this.trouble = isChange ? `${complaintOf(error)} Whether it has done this is not known.` : complaintOf(error);
      return;
    }
    session.hear(error);
    this.trouble = error.status === 401 ? "The token was not taken: nothing was changed." : error.message;
    if (error.status === 404) {
      this.isGone = true;
      this.trouble = task === "load" ? "There is no such site." : "The site is not there any more: somebody has removed it.";
    }
    if (error.problem) this.complaints = complaintsOf(error.problem);
    if (error.status === 412) await this.#compare();
  }

  /** Reads what the site has become meanwhile. */
  async #compare(): Promise<void> {
    try {
      const { body } = await get<Stored>(this.#path, session.token, null, AbortSignal.timeout(PATIENCE_MS));
      this.theirs = body;
      this.trouble = "";
    } catch {
      this.trouble = "It was changed meanwhile, and what it is now cannot be read: try again.";
    }
  }

  #isSendable(): boolean {
    const errors = unsendable(this.form);
    if (errors.length === 0) return true;
    this.complaints = fromErrors(errors);
    this.trouble = "This cannot be sent as it is.";
    return false;
  }

  #quiet(): void {
    this.trouble = "";
    this.complaints = [];
  }
}
