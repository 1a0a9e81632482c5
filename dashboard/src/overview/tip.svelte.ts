// What is said beside the pointer: one for the whole page.

import { figures, stepAt, when, type Timeline } from "./timeline";

class Tip {
  text = $state("");
  /** Where on the screen it points to. */
  left = $state(0);
  top = $state(0);

  /** Says of the step under the pointer what it came to. */
  point(timeline: Timeline, event: PointerEvent & { currentTarget: Element }): void {
    const { left, top, width } = event.currentTarget.getBoundingClientRect();
    const steps = timeline.columns.up.length;
    const step = stepAt(steps, (event.clientX - left) / width);
    this.text = `${when(timeline, step)}: ${figures(timeline, step)}`;
    this.left = left + ((step + 0.5) / steps) * width;
    this.top = top;
  }

  hide(): void {
    this.text = "";
  }
}

export const tip = new Tip();
