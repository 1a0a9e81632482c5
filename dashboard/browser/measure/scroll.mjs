// Scrolling through the table as fast as a wheel is turned, and how many frames there are meanwhile.

import { setTimeout } from "node:timers/promises";

/** How far the wheel goes in a second: some 100 rows. */
const PIXELS = 6000;
const STEP_MS = 16;
const SECOND_MS = 1000;
/** A page that follows the wheel no further than this has not been scrolled. */
const FOLLOWED = 0.8;

export async function scroll(page, devtools, seconds) {
  const place = { x: 700, y: 600 };
  await page.mouse.move(place.x, place.y);
  await page.evaluate(() => globalThis.seen.count());
  const sent = [];
  const begin = performance.now();
  let turned = 0;
  while (performance.now() - begin < seconds * SECOND_MS) {
    const due = ((performance.now() - begin) / SECOND_MS) * PIXELS;
    const wheel = { type: "mouseWheel", ...place, deltaX: 0, deltaY: Math.round(due - turned) };
    turned += wheel.deltaY;
    // The page may be late, the wheel is not.
    sent.push(devtools.send("Input.dispatchMouseEvent", wheel));
    await setTimeout(STEP_MS);
  }
  await Promise.all(sent);
  const told = await page.evaluate(() => ({ frames: globalThis.seen.frames, at: scrollY, end: document.documentElement.scrollHeight - innerHeight }));
  if (told.at < FOLLOWED * Math.min(turned, told.end)) throw new Error(`the page was scrolled by ${told.at} instead of ${turned} pixels`);
  return { scrolled_px: told.at, ...rate(told.frames, seconds) };
}

/** The frames of each whole second, and the longest of all. */
function rate(frames, seconds) {
  const [first] = frames;
  const counts = new Array(seconds).fill(0);
  let longest = 0;
  for (const [index, at] of frames.entries()) {
    const second = Math.floor((at - first) / SECOND_MS);
    if (second < seconds) counts[second] += 1;
    if (index > 0) longest = Math.max(longest, at - frames[index - 1]);
  }
  return { frames_per_second: counts, longest_frame_ms: longest };
}
