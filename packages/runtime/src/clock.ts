/**
 * The database's clock decides leases, deadlines and windows. Between two readings of it a process counts on with its own
 * monotonic timer, so that setting the machine's clock has no effect.
 */

/** Milliseconds since the epoch by the database's clock. */
export type Clock = () => number;

/**
 * @param nowFromDbMs the database's time, as just read
 * @param monotonicMs a counter that never goes back; `performance.now` unless a test stands in for it
 */
export function databaseClock(nowFromDbMs: number, monotonicMs: () => number = () => performance.now()): Clock {
  const readAtMs = monotonicMs();
  return () => nowFromDbMs + (monotonicMs() - readAtMs);
}

/**
 * A `databaseClock` that is never behind: it counts from the moment the reading was asked for, so it may run ahead by the
 * time that the answer took. For decisions that would rather call something late than charge for it.
 * @param askedAtMs of the same counter, before the database was asked
 */
export function databaseClockNotBehind(
  nowFromDbMs: number,
  askedAtMs: number,
  monotonicMs: () => number = () => performance.now(),
): Clock {
  return () => nowFromDbMs + (monotonicMs() - askedAtMs);
}
