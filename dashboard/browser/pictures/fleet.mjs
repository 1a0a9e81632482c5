// A monitor of its own for pictures: a database with a history, the API before it, and the page as it is in the sources.

import { execFileSync, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { createServer } from "vite";

const FLEET = fileURLToPath(new URL("fleet.sql", import.meta.url));
const DASHBOARD = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "pictures_of_the_dashboard";
const STEP_MS = 50;
const STEPS = 200;

/** Does something with the addresses of page and API; what it takes is there only meanwhile. */
export async function withFleet(programs, server, use) {
  const database = new URL(server);
  database.pathname = `/${NAME}`;
  const ask = (sql) => execFileSync("psql", ["-qX", "-d", server, "-c", sql], { stdio: "ignore" });
  const environment = { ...process.env, DATABASE_URL: database.href };
  const admin = (...words) => execFileSync(`${programs}/admin`, words, { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  ask(`DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`);
  ask(`CREATE DATABASE ${NAME}`);
  try {
    admin("migrate");
    execFileSync("psql", ["-qX", "-d", database.href, "-f", FLEET], { stdio: ["ignore", "ignore", "inherit"] });
    admin("rollups", "rebuild");
    await withApi(`${programs}/api`, environment, (api) => withPage(api, (page) => use(page, api)));
  } finally {
    ask(`DROP DATABASE ${NAME} WITH (FORCE)`);
  }
}

async function withApi(program, environment, use) {
  const listen = `127.0.0.1:${19_000 + (process.pid % 1000)}`;
  const settings = { API_LISTEN: listen, OPS_LISTEN: "127.0.0.1:0", API_STATUS_PAGES: "public", API_STATUS_TITLE: "Example Shop status" };
  const child = spawn(program, { env: { ...environment, ...settings }, stdio: "ignore" });
  try {
    await answers(`http://${listen}/api/v1/overview`);
    await use(`http://${listen}`);
  } finally {
    child.kill();
  }
}

async function answers(url) {
  for (let step = 0; step < STEPS; step += 1) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    await setTimeout(STEP_MS);
  }
  throw new Error(`${url} does not answer`);
}

async function withPage(api, use) {
  process.env["MONITOR_API"] = api;
  const server = await createServer({ root: DASHBOARD, logLevel: "error", server: { host: "127.0.0.1", port: 0 } });
  await server.listen();
  try {
    await use(server.resolvedUrls?.local[0] ?? "");
  } finally {
    await server.close();
  }
}
