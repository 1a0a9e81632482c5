// Who asks: the token is forgotten with the tab.

const KEY = "token";

class Session {
  token = $state<string | null>(sessionStorage.getItem(KEY));
  /** Whether the server wants a token, or another one. */
  refused = $state(false);
  /** What the server said of the last one. */
  complaint = $state("");
  /** Grows when somebody leaves. */
  visits = $state(0);

  signIn(token: string): void {
    sessionStorage.setItem(KEY, token);
    this.token = token;
    this.refused = false;
    this.complaint = "";
  }

  signOut(): void {
    sessionStorage.removeItem(KEY);
    this.token = null;
    this.refused = true;
    this.complaint = "";
    this.visits += 1;
  }

  /** The server has refused what was sent. */
  refuse(complaint: string): void {
    this.complaint = this.token === null ? "" : complaint;
    sessionStorage.removeItem(KEY);
    this.token = null;
    this.refused = true;
  }
}

export const session = new Session();
