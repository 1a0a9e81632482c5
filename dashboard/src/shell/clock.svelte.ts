// The time, to the second, as the server has it.

class Clock {
  now = $state(Date.now());
  /** What the server's clock is ahead of the viewer's. */
  ahead = 0;

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = Date.now() + this.ahead;
    }, 1000);
  }
}

export const clock = new Clock();
