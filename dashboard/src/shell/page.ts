// What the addresses of the dashboard mean.

/** A page, and what it is about. */
export type Page =
  | { name: "overview" }
  | { name: "wall" }
  | { name: "site"; id: number }
  | { name: "edit"; id: number }
  | { name: "add" }
  | { name: "import" }
  | { name: "nowhere" };

/** The page of a path. */
export function pageOf(path: string): Page {
  const words = path.split("/").filter((word) => word !== "");
  const [first, second, third] = words;
  if (first === undefined) return { name: "overview" };
  if (first === "wall" && second === undefined) return { name: "wall" };
  if (first !== "sites" || second === undefined || words.length > 3) return { name: "nowhere" };
  if (third === undefined && second === "new") return { name: "add" };
  if (third === undefined && second === "import") return { name: "import" };
  if (!/^[1-9]\d{0,15}$/.test(second)) return { name: "nowhere" };
  const id = Number(second);
  if (third === undefined) return { name: "site", id };
  return third === "edit" ? { name: "edit", id } : { name: "nowhere" };
}
