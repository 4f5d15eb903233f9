import { serviceSettings } from "@contingent/runtime/config";
import { z } from "zod";

export const intakeSettings = z.object({
  ...serviceSettings,
  /** The API's address as callers know it, for links in answers; the Host header's when unset. */
  PUBLIC_URL: z.url().optional().describe("https://api.example.com"),
});
