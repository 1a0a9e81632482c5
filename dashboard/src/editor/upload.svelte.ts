// A site file that is about to become what is monitored: what it would change, and what is wrong with it.

import { ApiError, complaintOf, send } from "../api/client";
import type { FieldError, Import } from "../api/schema";
import { session } from "../shell/session.svelte";

/** A file of ten thousand sites is read and compared in seconds. */
const PATIENCE_MS = 120_000;

export type Task = "plan" | "apply";

export class Upload {
  text = $state("");
  /** What the file is called; empty for what was written here. */
  name = $state("");
  /** Whether sites that are not in the file are removed. */
  prune = $state(false);
  plan = $state.raw<Import | null>(null);
  /** What has been done. */
  applied = $state.raw<Import | null>(null);
  errors = $state.raw<readonly FieldError[]>([]);
  trouble = $state("");
  /** Whether the sites were changed after they were last looked at. */
  isNew = $state(false);
  task = $state<Task | null>(null);
  /** Whether something was written by hand that is nowhere else. */
  isWritten = $state(false);

  take(text: string, name: string): void {
    this.text = text;
    this.name = name;
    this.isWritten = false;
    this.#forget();
  }

  write(text: string): void {
    this.text = text;
    this.isWritten = text.trim() !== "";
    this.#forget();
  }

  setPrune(prune: boolean): void {
    this.prune = prune;
    this.#forget();
  }

  /** Asks what the file would change. */
  async look(): Promise<void> {
    this.#forget();
    this.plan = await this.#ask("plan", null);
  }

  /** Makes it so, unless the sites are not those any more that were looked at. */
  async apply(): Promise<void> {
    const { plan } = this;
    if (plan === null) return;
    this.#forget();
    this.plan = plan;
    const applied = await this.#ask("apply", plan.version);
    if (applied === null) return;
    this.plan = null;
    this.applied = applied;
    this.isWritten = false;
  }

  async #ask(task: Task, match: string | null): Promise<Import | null> {
    if (this.task !== null) return null;
    this.task = task;
    const path = `/api/v1/sites/import?dry_run=${task === "plan"}&prune=${this.prune}`;
    const message = { body: this.text, type: typeOf(this.text), match };
    let isOld = false;
    try {
      const { body } = await send<Import>("POST", path, session.token, message, AbortSignal.timeout(PATIENCE_MS));
      return body;
    } catch (error) {
      isOld = error instanceof ApiError && error.status === 412;
      if (!isOld) this.#hear(task, error);
      return null;
    } finally {
      this.task = null;
      if (isOld) void this.#lookAgain();
    }
  }

  async #lookAgain(): Promise<void> {
    await this.look();
    this.isNew = this.plan !== null;
  }

  #hear(task: Task, error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.trouble = task === "plan" ? complaintOf(error) : `${complaintOf(error)} Whether it has done this is not known.`;
      return;
    }
    session.hear(error);
    this.trouble = error.status === 401 ? "The token was not taken: nothing was changed." : error.message;
    this.errors = error.problem?.errors ?? [];
  }

  #forget(): void {
    this.plan = null;
    this.applied = null;
    this.errors = [];
    this.trouble = "";
    this.isNew = false;
  }
}

/** JSON is YAML too; but what looks like it should be read as strictly. */
function typeOf(text: string): string {
  return /^\s*[{[]/.test(text) ? "application/json" : "application/yaml";
}
