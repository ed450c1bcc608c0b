// Why a call did not come about or ended, and whether it is made again. Must not know what is said about it.

import type { Reason } from "./wire";

/**
 * What only the page itself knows. About a refusal: `no-key`: nobody is let in without a key, and we have none; `no-entry`:
 * the relay has no such room for us; `no-pass`: the relay wants something of its own in the handshake; and what it has
 * against the camera's answer. About a call: `unanswered`: nobody answered it.
 */
export const OWN_REASONS = ["no-key", "no-entry", "no-pass", "unproved", "changed", "unanswered"] as const;
export type Why = Reason | (typeof OWN_REASONS)[number];

/** What to do about a reason: give up, give up for good, end as if hung up, or call again after at least this long. */
export const AFTER: Record<Why, "give-up" | "for-good" | "end" | number> = {
  "busy": 10_000,
  "no-codec": "give-up",
  "no-bundle": "give-up",
  "not-allowed": "give-up",
  "expired-key": "for-good",
  "revoked-key": "for-good",
  "bad-offer": "give-up",
  "bad-answer": 0,
  "bad-message": 0,
  "too-large": "give-up",
  "too-often": 60_000,
  "call-again": 0,
  "camera-lost": 5_000,
  "not-here": 3_000,
  "shutting-down": 2_000,
  "hang-up": "end",
  "replaced": "end",
  "silent": 0,
  "no-answer": 0,
  "no-connection": 0,
  "too-slow": 5_000,
  "failed": 0,
  "no-key": "give-up",
  "no-entry": "give-up",
  "no-pass": "give-up",
  "unproved": "give-up",
  "changed": "give-up",
  "unanswered": 0,
};

/** Whether nothing helps against `why` but another link. */
export function isFinal(why: Why): boolean {
  return AFTER[why] === "for-good";
}
