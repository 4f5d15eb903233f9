/**
 * Who may make, rotate and revoke API keys. A key gives no more than it has, neither in what it may do nor in how long it
 * lives: whoever steals one that is weak or short-lived cannot make a stronger or a longer one of it.
 */
import type { KeyId } from "../ids.ts";
import { EVERY_SCOPE, type KeyKind, type KeyScope, scopesBeyond } from "./scopes.ts";

/** Keys of one owner that work at a time. */
export const LIVE_KEYS_MAX = 100;
/** The last key that may do everything stays until there is another one that works on for at least so long. */
export const KEEPER_LIFE_MIN_MS = 24 * 3_600_000;

export interface Key {
  readonly id: KeyId;
  readonly kind: KeyKind;
  readonly scopes: readonly KeyScope[];
  /** Null: never. */
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

/** What a new key would be. */
export interface AskedKey {
  readonly scopes: readonly KeyScope[];
  readonly expiresAtMs: number | null;
}

export type KeyRefusal =
  /** Whoever asks has no right to any more. */
  | { readonly kind: "maker_ended" }
  | { readonly kind: "gives_more"; readonly scopes: readonly KeyScope[] }
  | { readonly kind: "outlives"; readonly untilMs: number }
  | { readonly kind: "over_already" }
  | { readonly kind: "too_many" };

export function isLive(key: Pick<Key, "expiresAtMs" | "revokedAtMs">, nowMs: number): boolean {
  return key.revokedAtMs === null && livesAt(key, nowMs);
}

/** Why a key may not make another one; null when it may. `liveKeys`: of the new one's owner. */
export function whyNotMake(
  maker: Key,
  asked: AskedKey,
  { nowMs, liveKeys }: { readonly nowMs: number; readonly liveKeys: number },
): KeyRefusal | null {
  if (!isLive(maker, nowMs)) return { kind: "maker_ended" };
  const scopes = scopesBeyond(maker.scopes, asked.scopes);
  if (scopes.length > 0) return { kind: "gives_more", scopes };
  const { expiresAtMs: untilMs } = maker;
  if (untilMs !== null && (asked.expiresAtMs === null || asked.expiresAtMs > untilMs)) {
    return { kind: "outlives", untilMs };
  }
  if (asked.expiresAtMs !== null && asked.expiresAtMs <= nowMs) return { kind: "over_already" };
  return liveKeys >= LIVE_KEYS_MAX ? { kind: "too_many" } : null;
}

/** When a key ends that another one was made to replace: after the overlap, and never later than it would have. */
export function endOfReplaced(key: Pick<Key, "expiresAtMs">, nowMs: number, overlapMs: number): number {
  return Math.min(key.expiresAtMs ?? Infinity, nowMs + overlapMs);
}

/** Whether nobody could make a key that may do everything any more once this one is gone. `all`: the operator's keys. */
export function isLastKeeper(key: Key, all: readonly Key[], nowMs: number): boolean {
  const keeps = (candidate: Key): boolean =>
    candidate.kind === "operator" && candidate.scopes.includes(EVERY_SCOPE) && candidate.revokedAtMs === null;
  if (!keeps(key) || !isLive(key, nowMs)) return false;
  return !all.some((other) => other.id !== key.id && keeps(other) && livesAt(other, nowMs + KEEPER_LIFE_MIN_MS));
}

function livesAt({ expiresAtMs }: Pick<Key, "expiresAtMs">, atMs: number): boolean {
  return expiresAtMs === null || expiresAtMs > atMs;
}
