/** Starts the demo service and waits to be killed. Argument: how the child is to know, `ipc` or `pid`. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const demo = fileURLToPath(new URL("./demo-main.ts", import.meta.url));
const knowsBy = process.argv[2];
const child = spawn(process.execPath, [demo], {
  env: { ...process.env, ...(knowsBy === "pid" ? { CONTINGENT_PARENT_PID: String(process.pid) } : {}) },
  stdio: ["ignore", "inherit", "inherit", ...(knowsBy === "ipc" ? (["ipc"] as const) : [])],
});
child.on("error", () => process.exit(1));
