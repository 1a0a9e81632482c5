/** One colour of a chart, and its figure. */
export interface Item {
  name: string;
  /** The CSS variable. */
  colour: string;
  value: string;
  shape?: "box" | "line" | "dashed";
}
