/** How much of everything is taken in: the settings, and what the process makes of them. */
import { integerSetting } from "@contingent/runtime/config";
import express from "express";
import { z } from "zod";

const OPEN_JOBS_MAX_DEFAULT = 100_000;
/** What the database counts up to. */
const OPEN_JOBS_MAX_MAX = 2_147_483_647;
const RATE_MAX = 1_000_000;

export const limitsSetting = z.enum(["on", "off"]).default("on").describe("on | off");

export const openJobsMaxSetting = integerSetting(0, OPEN_JOBS_MAX_MAX)
  .default(OPEN_JOBS_MAX_DEFAULT)
  .describe("0 to 2147483647");

/** One process takes about 1,500 small requests a second on one core: one key alone cannot use it up. */
export const keyRateSetting = integerSetting(1, RATE_MAX).default(500).describe("1 to 1000000");
export const customerRateSetting = integerSetting(1, RATE_MAX).default(1_000).describe("1 to 1000000");
/** Behind a proxy that is not named by TRUST_PROXY this is all requests together. */
export const addressRateSetting = integerSetting(1, RATE_MAX).default(2_000).describe("1 to 1000000");
export const failuresSetting = integerSetting(1, RATE_MAX).default(60).describe("1 to 1000000");

/** As Express has it: how many proxies stand in front, or their addresses and networks. */
export const trustProxySetting = z
  .string()
  .optional()
  .transform((text) => (text === undefined ? false : /^\d+$/.test(text) ? Number(text) : text.split(/\s*,\s*/)))
  .refine(isTrust, { error: "must be a number of proxies, or addresses and networks with commas between them" })
  .describe("1, or 10.0.0.0/8, loopback");

export type TrustProxy = z.output<typeof trustProxySetting>;

/** How many requests are taken, by this process. */
export interface RequestRates {
  readonly keyPerS: number;
  readonly customerPerS: number;
  readonly addressPerS: number;
  /** Wrong keys and wrong signatures that an address may send before it is not listened to for a while. */
  readonly failuresPerMin: number;
}

export interface Limits {
  readonly openJobsMax: number;
  /** Null: requests are not counted. */
  readonly requests: RequestRates | null;
  /** Whether jobs are refused that could not be done by their deadlines. */
  readonly byDeadline: boolean;
  readonly trustProxy: TrustProxy;
}

interface LimitsConfig {
  readonly LIMITS: "on" | "off";
  readonly OPEN_JOBS_MAX: number;
  readonly KEY_REQUESTS_PER_S_MAX: number;
  readonly CUSTOMER_REQUESTS_PER_S_MAX: number;
  readonly ADDRESS_REQUESTS_PER_S_MAX: number;
  readonly FAILURES_PER_MIN_MAX: number;
  readonly TRUST_PROXY: TrustProxy;
}

export function limitsOf(config: LimitsConfig): Limits {
  const isOn = config.LIMITS === "on";
  const requests = {
    keyPerS: config.KEY_REQUESTS_PER_S_MAX,
    customerPerS: config.CUSTOMER_REQUESTS_PER_S_MAX,
    addressPerS: config.ADDRESS_REQUESTS_PER_S_MAX,
    failuresPerMin: config.FAILURES_PER_MIN_MAX,
  };
  return {
    openJobsMax: config.OPEN_JOBS_MAX,
    requests: isOn ? requests : null,
    byDeadline: isOn,
    trustProxy: config.TRUST_PROXY,
  };
}

function isTrust(value: boolean | number | string[]): boolean {
  try {
    express().set("trust proxy", value);
    return true;
  } catch {
    return false;
  }
}
