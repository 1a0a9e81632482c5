import { expect, test } from "vitest";

/** Each knows those before it, and no others; a page knows no other page. */
const LAYERS = ["words", "api", "shell", "check"];
const PAGES = ["overview", "site", "editor"];

const files = import.meta.glob<string>("./*/**/*.{ts,svelte}", { query: "?raw", import: "default", eager: true });

function mayKnow(folder: string, other: string): boolean {
  if (other === folder) return true;
  if (PAGES.includes(folder)) return LAYERS.includes(other);
  return LAYERS.includes(other) && LAYERS.indexOf(other) < LAYERS.indexOf(folder);
}

test("dependencies point one way", () => {
  const wrong = Object.entries(files).flatMap(([path, text]) => {
    const folder = path.split("/")[1] ?? "";
    const known = [...text.matchAll(/import (type )?[^;]*? from "\.\.\/(\w+)\//g)];
    // What the API's answers are is known everywhere.
    return known.filter(([, type, other = ""]) => !(type && other === "api") && !mayKnow(folder, other)).map(([line]) => `${path}: ${line}`);
  });
  expect(wrong).toEqual([]);
  expect(Object.keys(files).length).toBeGreaterThan(50);
});
