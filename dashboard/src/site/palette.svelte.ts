// The page's colours for what is drawn on a canvas, which knows no CSS variables.

class Palette {
  /** Counts up when the theme changes: whatever was drawn is to be drawn again. */
  version = $state(0);

  #known = new Map<string, string>();
  #probe: HTMLElement | undefined;

  constructor() {
    const forget = () => {
      this.#known.clear();
      this.version += 1;
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);
    new MutationObserver(forget).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** The colour of a variable, as it is in the theme that is shown. */
  colour(variable: string): string {
    const known = this.#known.get(variable);
    if (known !== undefined) return known;
    const colour = this.#compute(variable);
    this.#known.set(variable, colour);
    return colour;
  }

  /** Only an element tells which of its two colours a variable has now. */
  #compute(variable: string): string {
    if (this.#probe === undefined) {
      this.#probe = document.createElement("i");
      this.#probe.hidden = true;
      document.body.append(this.#probe);
    }
    this.#probe.style.color = `var(${variable})`;
    return getComputedStyle(this.#probe).color;
  }
}

export const palette = new Palette();
