/** Hazard: a customer's text that acts on whoever opens the page. */
import { createHash } from "node:crypto";
import { nanos } from "@contingent/core/money";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { agree, charged, closed, credited, moveTo, statementId, unbilled } from "../months.ts";

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;</style>`;
const ESCAPED =
  "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;&lt;/style&gt;";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await api.pool.query({ text: "UPDATE customer SET name = $2 WHERE id = $1", values: [api.customerId, HOSTILE] });
  await moveTo(api, 0);
  await agree(api, { discountShare: 0.25, commitmentMinimum: nanos(1_234_000_000_000n) });
  const first = await charged(api, HOSTILE);
  await unbilled(api);
  await credited(api, first, 10_000_000n);
});
afterAll(() => api[Symbol.asyncDispose]());

async function page(): Promise<{ readonly html: string; readonly headers: Headers }> {
  const { status, body, headers } = await api.customer.send({ path: `/v1/statements/${statementId(api, 0)}/html` });
  expect(status).toBe(200);
  if (typeof body !== "string") throw new Error("the answer is no text");
  return { html: body, headers };
}

describe("200", () => {
  test("what others have written is shown as they wrote it, and is no markup", async () => {
    const { html } = await page();
    // Their name in the facts and in the running head; the key in its line and in that of its credit note.
    expect(html.split(ESCAPED)).toHaveLength(5);
    expect(html.split(`<bdi>${ESCAPED}</bdi>`)).toHaveLength(5);
    expect(html).toContain("Acme &amp; Sons");
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/g)].map(([, name]) => name));
    expect(
      [...tags].filter((name) =>
        ["script", "img", "iframe", "link", "a", "form", "svg", "object"].includes(name ?? ""),
      ),
    ).toEqual([]);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).not.toMatch(/<[^>]+\son\w+=/);
  });

  test("the policy permits the page's own style and nothing else", async () => {
    const { html, headers } = await page();
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
    expect(headers.get("content-security-policy")).toBe(policy);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  });

  test("an open one says so; a closed one is numbered and shows every figure and line", async () => {
    expect((await page()).html).toMatch(/Not numbered: open[^]*Do not pay it/);
    const { number } = await closed(api, 0);
    const { html } = await page();
    expect(html).toContain(`No. ${number}`);
    expect(html).not.toContain("Do not pay it");
    for (const words of [
      "Discount",
      "Minimum commitment",
      "Credit notes \\(1\\)",
      "Total",
      "Amount due",
      "Not charged",
      "Canceled",
    ]) {
      expect(html).toMatch(new RegExp(`>${words}`));
    }
    // 1,234 less the credit; the true-up is what 0.04 − 0.0075 lacks.
    expect(html).toContain("USD 1,233.99");
    expect(html).toContain("1,233.9675");
    expect(html).not.toContain("In your favour");
  });

  test("of a very long one it shows the first lines and names the CSV", async () => {
    await api.pool.query({
      text: `INSERT INTO job (id, customer_id, outcome_type, outcome_type_version_id, state, revision, resolution, reason,
                              cost_cap_nanos, progress, created_at, deadline_at, ready_at, wake_at, closed_at)
             SELECT 'job_many' || lpad(n::text, 6, '0'), customer_id, outcome_type, outcome_type_version_id, state, revision,
                    'failure', 'exhausted', cost_cap_nanos, progress, created_at, deadline_at, ready_at, wake_at,
                    closed_at + interval '31 days' + n * interval '1 millisecond'
               FROM generate_series(1, 5001) n, LATERAL (SELECT * FROM job WHERE customer_id = $1 AND resolution = 'failure' LIMIT 1) j`,
      values: [api.customerId],
    });
    await moveTo(api, 1, 28);
    const path = `/v1/statements/${statementId(api, 1)}`;
    const { body } = await api.customer.send({ path: `${path}/html` });
    const rows = String(body).match(/<tr class="free">/g);
    expect(rows).toHaveLength(500);
    expect(body).toContain("The first 500 of 5,001 lines");
    expect(body).toContain(`${path}/csv`);
    const csv = await api.customer.send({ path: `${path}/csv` });
    expect(String(csv.body).match(/\r\n/g)).toHaveLength(5_001 + 1 + 1);
  });
});

test("404: another customer's", async () => {
  expectError(
    await api.otherCustomer.send({ path: `/v1/statements/${statementId(api, 0)}/html` }),
    "statement_not_found",
  );
});
