// What the page itself can tell. This runs in it, before anything of its own.

export function watch() {
  const seen = {
    /** When the first row was painted; `null` before that. */
    rows: null,
    /** The tasks of more than 50 ms. */
    tasks: [],
    /** From each key in the search to the rows. */
    searches: [],
    /** When frames were drawn, while somebody wants to know. */
    frames: null,
  };
  globalThis.seen = seen;
  const told = (list) => list.getEntries().forEach(({ startTime, duration }) => seen.tasks.push({ begin: startTime, end: startTime + duration }));
  new PerformanceObserver(told).observe({ type: "longtask", buffered: true });

  /** After the frame that shows what has been changed by now: its paint comes before the next task. */
  const painted = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = then;
      port2.postMessage(null);
    });
  const changes = new MutationObserver(() => {
    if (document.querySelector("[role=row][data-site]") === null) return;
    changes.disconnect();
    painted(() => (seen.rows = performance.now()));
  });
  changes.observe(document, { childList: true, subtree: true });

  const typed = (event) => {
    if (event.target instanceof HTMLInputElement) painted(() => seen.searches.push(performance.now() - event.timeStamp));
  };
  addEventListener("keydown", typed, { capture: true });

  seen.count = () => {
    seen.frames = [];
    const frame = (now) => {
      seen.frames.push(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };
}
