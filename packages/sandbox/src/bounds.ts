/** Every bound of the sandbox, in one place. */

/** A check and all that it looks at, as JSON in UTF-8: an answer of a million characters that are all escaped, and its input. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
/** 25 findings, each as long as it may be, in characters of three bytes. */
export const REPLY_BYTES_MAX = 256 * 1024;

/** What one check may use, and no more. */
export interface Limits {
  /** Processor time. What a check needs of it does not depend on how busy the machine is. */
  readonly cpuMs: number;
  /** Time by the clock: for a check that waits for something that never comes. Several times `cpuMs`. */
  readonly wallMs: number;
  /** Memory of the whole process. At rest it has about 110 MB. */
  readonly rssBytes: number;
}

export const LIMITS: Limits = { cpuMs: 5_000, wallMs: 30_000, rssBytes: 512 * 1024 * 1024 };

/** How often the use of a running check is looked at. Page faults take a second per gigabyte or two. */
export const POLL_MS = 10;
/** Processor time from which on a check counts as stuck: it stands behind others, and another process takes its place. */
export const STUCK_CPU_MS = 500;

/** Processes that are kept ready. */
export const PROCESSES_DEFAULT = 2;
export const PROCESSES_MAX = 64;
/** One more is kept ready, for a lane that has no check under way: it need not wait until others are seen to be stuck. */
export const SPARES = 1;
/** Processes beyond those, while some are stuck. */
export const STAND_INS_MAX = 4;
/** A process is replaced after so many checks, so much memory at rest, so much processor time. */
export const RUNS_MAX = 1_000;
export const RSS_AT_REST_BYTES_MAX = 256 * 1024 * 1024;
export const CPU_TOTAL_MS_MAX = 300_000;

/** How long a process may take until it is ready: on an idle machine 0.2 s, on one that starts everything at once 15 s. */
export const START_MS = 60_000;
/** After so many failed starts in a row, whoever waits is told. */
export const START_FAILURES_MAX = 3;

/** Checks that wait for a process, and for how long. */
export const WAITING_MAX = 1_000;
export const WAIT_MS = 60_000;

/** For how long a service tries to reach a sandbox that is a process of its own, which may be starting. */
export const CONNECT_MS = 10_000;
/** Longer than anything there may take: waiting, a process that starts, the check, and all of it once more. */
export const ANSWER_MS_MAX = 2 * (WAIT_MS + START_MS + LIMITS.wallMs);
