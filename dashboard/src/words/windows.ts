// How far figures look back.

export const WINDOWS = ["24h", "7d", "90d"] as const;
export type Window = (typeof WINDOWS)[number];

export const WINDOW_NAMES: Record<Window, string> = { "24h": "24 hours", "7d": "7 days", "90d": "90 days" };
