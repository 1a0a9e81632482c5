import { describe, expect, test } from "vitest";

import type { Failure } from "../api/schema";
import { lengthOf, waterfall, type Timed } from "./waterfall";

const NONE = { dns: null, connect: null, tls: null, first_byte: null, transfer: null, total: null };
const failure = (phase: NonNullable<Failure["phase"]>): Failure => ({ kind: "first_byte_timeout", phase, detail: "" });
const told = (timings: Partial<Timed["timings_us"]>, more: Partial<Timed> = {}) =>
  waterfall({ timings_us: { ...NONE, ...timings }, ...more }).map(({ name, start, length, failed }) => `${name} ${start}+${length}${failed ? " failed" : ""}`);
const hop = (timings: object) => ({ url: "http://a.example/", status_code: 302, remote_addr: null, timings_us: { ...NONE, ...timings } });

describe("a waterfall", () => {
  test("has one phase after the other", () => {
    expect(told({ dns: 10, connect: 20, first_byte: 70, total: 100 })).toEqual(["DNS 0+10", "Connect 10+20", "First byte 30+70"]);
  });

  test("gives what is left to the phase that the check died in", () => {
    expect(told({ connect: 20, total: 1000 }, { failure: failure("tls") })).toEqual(["Connect 0+20", "TLS 20+980 failed"]);
    expect(told({ connect: 20, total: 1000 }, { failure: failure("send") })).toEqual(["Connect 0+20", "First byte 20+980 failed"]);
  });

  test("does not blame a phase that was done, nor what is no phase", () => {
    const timings = { first_byte: 90, transfer: 10, total: 100 };
    expect(told(timings, { failure: failure("assertion") })).toEqual(["First byte 0+90", "Transfer 90+10"]);
    expect(told(timings, { failure: failure("body") })).toEqual(["First byte 0+90", "Transfer 90+10"]);
  });

  test("begins with the redirects, of which only the last hop has phases", () => {
    const http = { redirects: 1 };
    expect(told({ connect: 30, first_byte: 20, total: 150 }, { http })).toEqual(["Redirects 0+100", "Connect 100+30", "First byte 130+20"]);
  });

  test("begins with the attempts that failed", () => {
    expect(told({ connect: 30, first_byte: 20, total: 150 }, { attempts: 2 })).toEqual(["Before 0+100", "Connect 100+30", "First byte 130+20"]);
  });

  test("tells apart what led to a hop that failed", () => {
    const http = { redirects: 1, hops: [hop({ connect: 100, first_byte: 400 })] };
    const expected = ["Redirects 0+500", "Connect 500+250", "First byte 750+250 failed"];
    expect(told({ connect: 250, total: 1000 }, { failure: failure("first_byte"), http })).toEqual(expected);
  });

  test("says of what is left otherwise only that it is", () => {
    expect(told({ connect: 50, total: 100 })).toEqual(["Connect 0+50", "Other 50+50"]);
    expect(told({ connect: 995, total: 1000 })).toEqual(["Connect 0+995"]);
  });

  test("of nothing is empty", () => expect(told({})).toEqual([]));
  test("is as long as what is in it", () => expect(lengthOf({ ...NONE, dns: 10, total: 5 })).toBe(10));
});
