/** Canaries: texts that are planted where customers, models and operators write, and that must not turn up elsewhere. */
import { randomBytes } from "node:crypto";
import type { OtlpReceiver } from "@contingent/testkit/otlp-receiver";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { HAIKU, OLD_HAIKU, step, sums } from "../e2e/support/sums.ts";
import type { GetSystem } from "../e2e/support/use-system.ts";

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

    const seen = {
      spans: asText(received().spans()),
      metrics: asText(received().metrics()),
      logs: system()
        .processes()
        .map(({ name }) => system().log(name))
        .join("\n"),
      transport: await transport.text(),
    };
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
  });
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
    },
  };
}
