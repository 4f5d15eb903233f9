/** There is no container engine where the tests run, so the files are held to what the tests themselves start. */
import fs from "node:fs";
import path from "node:path";
import { tierIds } from "@contingent/catalog/tiers";
import {
  MIGRATE_ENTRY,
  SANDBOX_ENTRY,
  serviceProcesses,
  SERVICES,
  SIMULATOR_ENTRY,
} from "@contingent/embedded/services";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "./source.ts";

interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly container_name?: string;
  readonly restart?: string;
  readonly network_mode?: string;
  readonly read_only?: boolean;
  readonly user?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly tmpfs?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
}

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
const compose = parse(read("docker-compose.yml"), { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
};
const withoutComments = (text: string): string => text.replaceAll(/\/\*\*[^]*?\*\//g, "");
const dockerfile = read("infra/docker/Dockerfile");

/** The processes that the tests start, with the variables that they give them. */
const started = serviceProcesses({
  databaseUrl: "postgres://",
  queueUrl: "redis://",
  apiPort: 0,
  anthropic: { apiKey: "key", baseUrl: "http://simulator" },
  workers: Object.fromEntries(tierIds.map((tier) => [tier, 1])),
});

/** `worker-fast-1` is the first of compose's `worker-fast`. */
const composeNameOf = (process: string): string => process.replace(/-\d+$/, "");

/** Set by the deployment, not by the start: what it is for, its address and keys, where telemetry goes, what is logged. */
const BY_DEPLOYMENT = [
  "CONTINGENT_ENV",
  "PUBLIC_URL",
  "PAYLOAD_KEYS",
  "RECEIPT_KEYS",
  "SANDBOX_SOCKET",
  "TRUST_PROXY",
  "LOG_LEVEL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
];

describe("docker-compose.yml", () => {
  it.each(started.map((process) => [composeNameOf(process.name), process] as const))(
    "starts %s from the entry file that the tests start, with the same variables",
    (name, process) => {
      const service = compose.services[name];
      expect(service?.command).toEqual([process.entry]);
      const given = Object.keys(service?.environment ?? {}).filter((variable) => !BY_DEPLOYMENT.includes(variable));
      expect(given.toSorted()).toEqual(Object.keys(process.variables).toSorted());
      expect(service?.environment?.["TIER"]).toBe(process.variables["TIER"]);
    },
  );

  it("starts nothing else of ours than the schema's migration, the simulator and the sandbox", () => {
    const ours = Object.entries(compose.services).filter(([, service]) => service.image === "contingent");
    const others = ours.filter(([name]) => !started.some((process) => composeNameOf(process.name) === name));
    expect(others.map(([name, service]) => [name, service.command])).toEqual([
      ["simulator", [SIMULATOR_ENTRY]],
      ["migrate", [MIGRATE_ENTRY]],
      ["sandbox", [SANDBOX_ENTRY]],
    ]);
  });

  it("gives nothing of ours rights that it does not need, nor anything to write to", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect([name, service.security_opt]).toEqual([name, ["no-new-privileges:true"]]);
      if (service.image !== "contingent") continue;
      expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ["ALL"]]);
      expect(service.tmpfs?.filter((mount) => !mount.includes("noexec"))).toEqual([]);
    }
  });

  it("is reached from this machine only, and by nobody but through the API and the page of traces", () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports.toSorted()).toEqual(["127.0.0.1:16686:16686", "127.0.0.1:4080:8080"]);
  });

  it("gives the sandbox no network, no rights and nothing to write to but its socket", () => {
    const { sandbox } = compose.services;
    expect(sandbox).toMatchObject({
      network_mode: "none",
      user: "node",
      volumes: ["sandbox:/run/sandbox"],
      depends_on: {},
    });
    expect([sandbox?.mem_limit, sandbox?.pids_limit, sandbox?.ports]).toEqual(["4g", 256, undefined]);
    // Neither the database nor a key is within its reach.
    expect(Object.keys(sandbox?.environment ?? {}).toSorted()).toEqual([
      "CONTINGENT_ENV",
      "HOST",
      "LOG_LEVEL",
      "PORT",
      "SANDBOX_SOCKET",
    ]);
  });

  it("lets every service that makes checks make them in the sandbox", () => {
    const socket = compose.services["sandbox"]?.environment?.["SANDBOX_SOCKET"];
    const makeChecks = Object.entries(SERVICES).filter(([, { reads }]) => reads.includes("SANDBOX_SOCKET"));
    expect(makeChecks.map(([name]) => name)).toEqual(["intake", "validator"]);
    for (const [name] of makeChecks) {
      expect(compose.services[name]?.environment?.["SANDBOX_SOCKET"]).toBe(socket);
      expect(compose.services[name]?.volumes).toEqual(["sandbox:/run/sandbox:ro"]);
    }
  });

  it("scales every worker: no fixed name and no fixed port", () => {
    for (const tier of tierIds) {
      const worker = compose.services[`worker-${tier}`];
      expect([worker?.container_name, worker?.ports]).toEqual([undefined, undefined]);
    }
  });

  it("starts services only on a migrated database and a Redis that answers, and leaves them time to drain", () => {
    for (const process of started) {
      const service = compose.services[composeNameOf(process.name)];
      expect(service?.depends_on).toEqual({
        migrate: { condition: "service_completed_successfully" },
        redis: { condition: "service_healthy" },
      });
      expect(service?.stop_grace_period).toBe("30s");
    }
    expect(compose.services["migrate"]?.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
    expect(compose.services["migrate"]?.restart).toBe("no");
  });

  it("lets nobody but the migration log in as the database's owner, and makes the services' login there", () => {
    const loginOf = (name: string, variable = "DATABASE_URL"): string | undefined =>
      compose.services[name]?.environment?.[variable]?.split("@")[0];
    const logins = started.map((process) => loginOf(composeNameOf(process.name)));
    expect(new Set(logins)).toEqual(new Set([loginOf("migrate", "SERVICE_DATABASE_URL")]));
    expect(loginOf("migrate")).not.toBe(logins[0]);
    expect(loginOf("migrate")).toContain("${POSTGRES_PASSWORD:");
  });

  it("runs a Redis that evicts nothing and keeps what it was told", () => {
    const command = compose.services["redis"]?.command?.join(" ") ?? "";
    expect(command).toContain("--maxmemory-policy noeviction");
    expect(command).toContain("--appendonly yes");
  });

  it("lets nobody at its messages without the password that services are given", () => {
    const { redis } = compose.services;
    const password = /--requirepass (\S+)/.exec(redis?.command?.join(" ") ?? "")?.[1] ?? "";
    expect(password).toMatch(/^\$\{REDIS_PASSWORD:-/);
    expect(redis?.environment).toEqual({ REDISCLI_AUTH: password });
    for (const { name } of started) {
      const url = compose.services[composeNameOf(name)]?.environment?.["QUEUE_URL"];
      expect([name, url]).toEqual([name, `redis://:${password}@redis:6379`]);
    }
  });

  it("knows of each long-running container whether it is well", () => {
    for (const name of ["postgres", "redis"]) expect(compose.services[name]?.healthcheck?.test).toBeDefined();
    // Ours are asked by the image's own check.
    expect(dockerfile).toContain("HEALTHCHECK");
    for (const process of started) expect(compose.services[composeNameOf(process.name)]?.healthcheck).toBeUndefined();
  });
});

describe("the image", () => {
  it("does not run as root", () => {
    const users = [...dockerfile.matchAll(/^USER (\S+)$/gm)].map((found) => found[1]);
    expect(users).toEqual(["node"]);
    expect(dockerfile.indexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("RUN "));
  });

  it("installs exactly what the lockfile says, with the pnpm that wrote it", () => {
    const { devEngines } = JSON.parse(read("package.json")) as { devEngines: { packageManager: { version: string } } };
    expect(dockerfile).toContain(`ARG PNPM_VERSION=${devEngines.packageManager.version}`);
    expect(dockerfile).toContain("--frozen-lockfile");
  });

  it("holds every entry file", () => {
    const ignored = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const entries = [
      ...Object.values(SERVICES).map(({ entry }) => entry),
      MIGRATE_ENTRY,
      SANDBOX_ENTRY,
      SIMULATOR_ENTRY,
    ];
    for (const entry of entries) {
      expect([entry, fs.existsSync(path.join(ROOT, entry))]).toEqual([entry, true]);
      expect(ignored.some((line) => entry.startsWith(`${line}/`))).toBe(false);
    }
  });
});

describe("the table of variables", () => {
  it.each(Object.entries(SERVICES))("names what %s really reads", (_, { entry, reads }) => {
    const named = [path.join(path.dirname(entry), "config.ts"), "packages/runtime/src/config.ts"].flatMap((file) =>
      [...withoutComments(read(file)).matchAll(/[{,]\s+([A-Z][A-Z_]+):/g)].map((found) => found[1] ?? ""),
    );
    expect(new Set(named)).toEqual(new Set(reads));
  });
});
