// Which rows of a long table are drawn: those in sight, and some around them.

/** Rows beyond each edge, so that a quick scroll does not show nothing. */
const MARGIN = 8;

export interface Range {
  first: number;
  /** The one after the last. */
  end: number;
}

/** `top` is where the table begins, seen from the top of the screen: negative once it is scrolled. */
export function visible(rows: number, rowHeight: number, top: number, screenHeight: number): Range {
  const first = Math.floor(-top / rowHeight) - MARGIN;
  const end = Math.ceil((screenHeight - top) / rowHeight) + MARGIN;
  return { first: Math.min(Math.max(first, 0), rows), end: Math.min(Math.max(end, 0), rows) };
}
