// Who asks: the token is forgotten with the tab.

import { ApiError } from "../api/client";

const KEY = "token";

class Session {
  token = $state<string | null>(sessionStorage.getItem(KEY));
  /** Whether the server wants a token, or another one. */
  refused = $state(false);
  /** What the server said of the last one. */
  complaint = $state("");
  /** Why the viewer may not change anything; empty while nothing was refused. */
  mayOnlyRead = $state("");
  /** Whether a token is asked for only to do more than reading. */
  mayReadAlready = $state(false);
  /** Grows when somebody leaves. */
  visits = $state(0);

  signIn(token: string): void {
    sessionStorage.setItem(KEY, token);
    this.token = token;
    this.goOn();
    this.complaint = "";
    this.mayOnlyRead = "";
  }

  signOut(): void {
    sessionStorage.removeItem(KEY);
    this.token = null;
    this.refused = true;
    this.complaint = "";
    this.mayOnlyRead = "";
    this.visits += 1;
  }

  /** Asks for a token that is good for more. The one that is there stays until then. */
  askForAnother(): void {
    this.complaint = "";
    this.mayReadAlready = true;
    this.refused = true;
  }

  /** Goes on with what there is. */
  goOn(): void {
    this.refused = false;
    this.mayReadAlready = false;
  }

  /** What an answer says of the token. */
  hear(error: unknown): void {
    if (!(error instanceof ApiError)) return;
    if (error.status === 401) this.refuse(error.message);
    if (error.status === 403) this.mayOnlyRead = error.message;
  }

  /** The server has refused what was sent. */
  refuse(complaint: string): void {
    this.complaint = this.token === null ? "" : complaint;
    this.mayReadAlready = false;
    sessionStorage.removeItem(KEY);
    this.token = null;
    this.refused = true;
  }
}

export const session = new Session();
