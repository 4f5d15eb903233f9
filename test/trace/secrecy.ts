/** Canaries: texts that are planted where customers, models and operators write, and that must not turn up elsewhere. */
import { randomBytes } from "node:crypto";
import type { OtlpReceiver } from "@contingent/testkit/otlp-receiver";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { readDocument } from "../security/support/document.ts";
import { HAIKU, OLD_HAIKU, step, sums } from "../e2e/support/sums.ts";
import type { GetSystem } from "../e2e/support/use-system.ts";
import { plantEverywhere } from "./every-field.ts";

export function secrecyTests(system: GetSystem, received: () => OtlpReceiver, providerKey: string): void {
  test("no text of a prompt, an answer, a finding or a key leaves the database: not into spans, metrics, logs or queues", async () => {
    const canary = (where: string): string => `canary-${where}-${randomBytes(6).toString("hex")}`;
    const planted = {
      input: canary("input"),
      prompt: canary("prompt"),
      output: canary("output"),
      refusedByApi: canary("api-error"),
      key: canary("outcome-key"),
      metadata: canary("metadata"),
      idempotency: canary("idempotency"),
    };
    const secrets = [...Object.values(planted), providerKey, system().keys.customer, system().keys.operator];
    await using transport = await watchTransport(system());

    const type = `secrecy-${randomBytes(6).toString("hex")}`;
    const cascade = [step("fast", { attempts_max: 2, models: [HAIKU, OLD_HAIKU] })];
    const definition = sums({ cascade }) as { prompt: { system: string } };
    await system().operator.publish(type, { ...definition, prompt: { ...definition.prompt, system: planted.prompt } });
    const { simulator } = system();
    simulator.script({
      match: planted.input,
      steps: [
        { step: "bad_request", message: `messages: ${planted.refusedByApi} ${planted.input} is not allowed` },
        { step: "answer", text: `Sorry: ${planted.output}` },
        { step: "answer_json", json: { a: planted.output, b: planted.output, net: 1, tax: 1, gross: 1 } },
      ],
    });
    const job = await system().api.submit(
      {
        outcome_type: type,
        input: { marker: planted.input, a: 1, b: 1, tax: 1 },
        outcome_key: planted.key,
        metadata: { note: planted.metadata },
      },
      { "idempotency-key": `"${planted.idempotency}"` },
    );
    await system().api.closed(job.id);
    // Requests that are refused quote what was sent, to the caller and to nobody else.
    for (const body of [
      `{"outcome_type": "${planted.input}`,
      { outcome_type: type, input: { marker: 1, a: planted.input } },
    ]) {
      expect((await system().api.send({ method: "POST", path: "/v1/jobs", body })).status).toBe(400);
    }
    await until(
      () =>
        received()
          .spans()
          .some(({ traceId, name }) => traceId === job.trace_id && name === "settle"),
      {
        timeoutMs: 20_000,
        what: "the job's trace",
      },
    );

    const seen = { ...seenBy(system(), received()), transport: await transport.text() };
    // They are where they ought to be, so that they could have leaked from there.
    expect(asText(simulator.requests())).toContain(planted.input);
    expect(seen.transport).toContain(job.id);
    expect(seen.spans).toContain(job.id);
    expect(seen.logs).toContain('"listening"');
    for (const [place, text] of Object.entries(seen)) {
      expect(
        secrets.filter((secret) => text.includes(secret)),
        place,
      ).toEqual([]);
    }
    // Nor is it in the database, where it is sealed. What names an outcome or a request is looked up by it, and is not.
    const stored = await everythingIn(system().pool);
    expect(stored).toContain(planted.key);
    const texts = [planted.input, planted.output, planted.refusedByApi, planted.metadata, providerKey];
    expect(texts.filter((text) => stored.includes(text))).toEqual([]);
  });

  test("no text of any field of any endpoint leaves the API: not into spans, metrics, logs or queues, nor to another customer", async () => {
    await using transport = await watchTransport(system());
    const owner = await system().anotherCustomer();
    const type = `every-field-${randomBytes(6).toString("hex")}`;
    await system().operator.publish(type, sums());
    const job = await owner.api.submit({ outcome_type: type, input: { marker: type, a: 1, b: 1, tax: 1 } });
    const things = { "/v1/customers": owner.id, "/v1/jobs": job.id, "/v1/outcome-types": type };
    const { texts, accepted } = await plantEverywhere(system().operator, owner.api, things);
    expect(texts.length).toBeGreaterThan(400);
    expect(accepted).toBeGreaterThan(30);
    // Some are kept, so that they could have leaked from there.
    const stored = await everythingIn(system().pool);
    expect(texts.filter((text) => stored.includes(text)).length).toBeGreaterThan(3);
    const { api: other } = await system().anotherCustomer();
    const marker = await other.send({ path: "/v1/jobs", headers: { traceparent: TRACEPARENT } });
    expect(marker.status).toBe(200);
    await until(() => asText(received().spans()).includes(TRACE_ID), {
      timeoutMs: 20_000,
      what: "the last request's span",
    });

    const seen = {
      ...seenBy(system(), received()),
      transport: await transport.text(),
      "another customer": await allThat(other),
    };
    for (const [place, text] of Object.entries(seen)) {
      // Also as part of an address.
      const found = texts.filter((planted) => text.includes(planted) || text.includes(encodeURIComponent(planted)));
      expect(found, place).toEqual([]);
    }
  });
}

const TRACE_ID = randomBytes(16).toString("hex");
const TRACEPARENT = `00-${TRACE_ID}-${randomBytes(8).toString("hex")}-01`;

/** Everything that a customer can list. */
async function allThat(customer: System["api"]): Promise<string> {
  const { routes } = await readDocument(customer.url);
  const lists = routes.filter(({ method, path }) => method === "GET" && path.startsWith("/v1/") && !path.includes("{"));
  const answers = await Promise.all(lists.map(({ path }) => customer.send({ path })));
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(5);
  return asText(answers.map(({ body }) => body));
}

/** What leaves the processes by telemetry and logs. */
function seenBy(system: System, received: OtlpReceiver): Readonly<Record<"spans" | "metrics" | "logs", string>> {
  const logs = system.processes().map(({ name }) => system.log(name));
  return { spans: asText(received.spans()), metrics: asText(received.metrics()), logs: logs.join("\n") };
}

/** Everything that the database holds, less what BullMQ does, which is watched by itself. */
async function everythingIn(pool: System["pool"]): Promise<string> {
  const tables = await pool.query<{ name: string }>({
    text: "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
  });
  const contents: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await pool.query<{ line: string }>({ text: `SELECT to_jsonb(t)::text AS line FROM ${name} t` });
    contents.push(...rows.map(({ line }) => line));
  }
  return contents.join("\n");
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member));
}

interface WatchedTransport extends AsyncDisposable {
  /** Everything that the transport was told. */
  text(): Promise<string>;
}

async function watchTransport(system: System): Promise<WatchedTransport> {
  return system.queueUrl.startsWith("redis") ? await watchRedis(system.queueUrl) : await watchPostgres(system);
}

/** Every command that anybody gives to this Redis from now on. */
async function watchRedis(url: string): Promise<WatchedTransport> {
  const client = new Redis(url);
  const monitor = await client.monitor();
  const commands: string[] = [];
  monitor.on("monitor", (_time: string, args: readonly string[]) => commands.push(args.join(" ")));
  return {
    text: async () => commands.join("\n"),
    async [Symbol.asyncDispose]() {
      monitor.disconnect();
      client.disconnect();
    },
  };
}

/** Every row that is written to BullMQ's tables from now on, also those that are deleted at once. */
async function watchPostgres({ pool }: System): Promise<WatchedTransport> {
  await pool.query({ text: "CREATE TABLE seen_by_transport (line text)" });
  await pool.query({
    text: `CREATE FUNCTION see_row() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN INSERT INTO public.seen_by_transport VALUES (to_jsonb(NEW)::text); RETURN NULL; END $$`,
  });
  const { rows } = await pool.query<{ name: string }>({
    text: "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq'",
  });
  for (const { name } of rows) {
    await pool.query({
      text: `CREATE TRIGGER see AFTER INSERT OR UPDATE ON bullmq.${name} FOR EACH ROW EXECUTE FUNCTION public.see_row()`,
    });
  }
  return {
    async text() {
      const seen = await pool.query<{ line: string }>({ text: "SELECT line FROM seen_by_transport" });
      return seen.rows.map(({ line }) => line).join("\n");
    },
    async [Symbol.asyncDispose]() {
      for (const { name } of rows) await pool.query({ text: `DROP TRIGGER see ON bullmq.${name}` });
      await pool.query({ text: "DROP FUNCTION see_row" });
      await pool.query({ text: "DROP TABLE seen_by_transport" });
    },
  };
}
