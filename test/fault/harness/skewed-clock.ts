/**
 * Loaded before everything else into a process whose clock is to be wrong, by `--import`: the wall clock says another time
 * by CLOCK_SKEW_MS. Timers and `performance.now` go on as they should, as on a machine whose clock was set wrong.
 */
const skewMs = Number(process.env["CLOCK_SKEW_MS"] ?? 0);
const RealDate = Date;
const now = (): number => RealDate.now() + skewMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given: []) => (given.length === 0 ? new target(now()) : new target(...given)),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});
