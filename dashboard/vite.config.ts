import { readFileSync } from "node:fs";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

// Where the API is that `npm run dev` shows: `.local/env` has its address while `cargo xtask up` runs.
const api = process.env["MONITOR_API"] ?? "http://127.0.0.1:8080";

/** Whoever hands out the work of others has to hand out its licence too. */
const LICENCES = {
  geist: "node_modules/@fontsource-variable/geist/LICENSE",
  uplot: "node_modules/uplot/LICENSE",
};

const licences: Plugin = {
  name: "licences",
  apply: "build",
  generateBundle() {
    for (const [name, path] of Object.entries(LICENCES)) {
      this.emitFile({ type: "asset", fileName: `assets/${name}-licence.txt`, source: readFileSync(path) });
    }
  },
};

export default defineConfig({
  plugins: [svelte(), licences],
  server: { proxy: { "/api": api } },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    // A picture inside a script would be a longer script.
    assetsInlineLimit: 0,
    // All browsers that are meant know how to preload modules.
    modulePreload: { polyfill: false },
  },
});
