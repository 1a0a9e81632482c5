// A part of a page that asks by itself, for as long as it is there.

import { untrack } from "svelte";

import { Live } from "./live.svelte";

/** Asks for a path, which may change, while somebody looks; a `pause` of `null` asks once, without one it asks often. */
export function ask<T>(path: () => string, pause: () => number | null | undefined = () => undefined): Live<T> {
  const live = new Live<T>(untrack(path), untrack(pause));
  $effect(() => {
    const [next, rest] = [path(), pause()];
    untrack(() => live.setPath(next, rest));
  });
  $effect(() => {
    const look = () => (document.hidden ? live.stop() : live.start());
    const again = () => live.start();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", again);
    untrack(again);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", again);
      live.stop();
    };
  });
  return live;
}
