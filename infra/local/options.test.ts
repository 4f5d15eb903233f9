import { describe, expect, it } from "vitest";
import { parseOptions, UsageError } from "./options.ts";

describe("the start command's options", () => {
  it("without any the system stays up, runs the samples and needs nothing of yours", () => {
    expect(parseOptions([])).toMatchObject({ once: false, samples: true, port: null, queueUrl: null, workers: {} });
  });

  it("workers are given per tier", () => {
    expect(parseOptions(["--workers", "fast=3,standard=2"]).workers).toEqual({ fast: 3, standard: 2 });
  });

  it.each([
    [["--onec"], "Unknown option '--onec'"],
    [["now"], "Unexpected argument 'now'"],
    [["--port", "http"], "--port http is not a port"],
    [["--port", "70000"], "--port 70000 is not a port"],
    [["--port"], "Option '--port <value>' argument missing"],
    [["--workers", "fast"], '--workers fast cannot be read at "fast"'],
    [["--workers", "fast=0"], '--workers fast=0 cannot be read at "fast=0"'],
    [["--workers", "fast=2,"], '--workers fast=2, cannot be read at ""'],
    [["--queue", "localhost:6379"], "--queue localhost:6379 is not a URL that starts with redis://"],
  ])("%j is refused in one sentence that says what is wrong", (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(sentence);
  });
});
