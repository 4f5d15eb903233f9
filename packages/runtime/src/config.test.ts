import { describe, expect, it } from "vitest";
import { z } from "zod";
import { concurrencySetting, readConfig, serviceSettings } from "./config.ts";
import { ServiceError } from "./errors.ts";

const schema = z.object({
  ...serviceSettings,
  CONCURRENCY: concurrencySetting,
  TIER: z.string().describe("fast | standard | premium"),
});
const good = { DATABASE_URL: "postgres://u:p@h:5432/d", QUEUE_URL: "redis://h:6379", TIER: "fast" };

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(schema, env);
  } catch (error) {
    if (error instanceof ServiceError) return error.message.split("\n");
  }
  return [];
}

describe("configuration", () => {
  it("fills in what is not set", () => {
    expect(readConfig(schema, good)).toEqual({
      ...good,
      PORT: 0,
      HOST: "127.0.0.1",
      CONTINGENT_ENV: "development",
      LOG_LEVEL: "info",
    });
  });

  it("takes an empty variable as not set", () => {
    expect(readConfig(schema, { ...good, PORT: "", CONCURRENCY: "", OTEL_EXPORTER_OTLP_ENDPOINT: "" }).PORT).toBe(0);
  });

  it("turns numbers into numbers", () => {
    expect(readConfig(schema, { ...good, PORT: "8080", CONCURRENCY: "32" })).toMatchObject({
      PORT: 8080,
      CONCURRENCY: 32,
    });
  });

  it("names every problem at once, with what to set", () => {
    expect(problemsOf({ QUEUE_URL: "mysql://x", PORT: "99999", LOG_LEVEL: "loud" })).toEqual([
      "DATABASE_URL is not set: set it to postgres://user:password@host:5432/database",
      "QUEUE_URL must be a URL that starts with postgres://, postgresql://, redis://, rediss://: set it to redis://host:6379 or postgres://…",
      "PORT must be a whole number from 0 to 65535: set it to 0 to take a free port",
      expect.stringMatching(/^LOG_LEVEL .*: set it to trace \| debug/),
      "TIER is not set: set it to fast | standard | premium",
    ]);
  });

  it.each(["-1", "1.5", "1e3", "0x10", " 8", "eighty"])("the port %j is refused", (port) => {
    expect(problemsOf({ ...good, PORT: port })).toHaveLength(1);
  });

  it("does not repeat the value, which may be a secret", () => {
    expect(problemsOf({ ...good, DATABASE_URL: "hunter2" }).join()).not.toContain("hunter2");
  });

  it("ends the process with the exit code for configuration", () => {
    expect(new ServiceError("config_invalid", "x").exitCode).toBe(78);
  });
});
