import { ERROR_CODES } from "@contingent/contracts/http/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function get(path: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(`${api.url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("the OpenAPI document is served to everybody", async () => {
  const { status, headers, text } = await get("/openapi.json");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toMatch(/^application\/json/);
  expect(JSON.parse(text)).toMatchObject({ openapi: "3.1.1", info: { title: "Contingent" } });
});

describe("the reference page", () => {
  test("loads only what this server has", async () => {
    const { status, headers, text } = await get("/docs");
    expect(status).toBe(200);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*script-src 'self'/);
    const assets = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(assets.length).toBeGreaterThanOrEqual(4);
    for (const asset of assets) {
      const answer = await get(asset);
      expect({ asset, status: answer.status, empty: answer.text === "" }).toEqual({ asset, status: 200, empty: false });
    }
  });

  test("names scripts and styles as what they are", async () => {
    expect((await get("/docs/assets/swagger-ui-bundle.js")).headers.get("content-type")).toMatch(/javascript/);
    expect((await get("/docs/assets/swagger-ui.css")).headers.get("content-type")).toMatch(/css/);
    expect((await get("/docs/assets/start.js")).headers.get("content-type")).toMatch(/javascript/);
  });

  test.each(["/docs/assets/package.json", "/docs/assets/../package.json", "/docs/assets/%2e%2e/package.json"])(
    "serves no other file: %s",
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});

test("the place that an error's doc_url names is there", async () => {
  const { text } = await get("/docs/errors");
  for (const code of ERROR_CODES) expect(text).toContain(`id="${code}"`);
});
