/** What is measured: something that takes jobs and says when each one was finished. */

/** Milliseconds since the epoch, fractions included: the clock that processes on one machine share. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Where its messages travel: it is compared with the bare transport of the same kind. */
  readonly transport: "redis" | "postgres";
  /** Takes one job; resolves when it has been taken. The key is the job's alone. */
  submit(key: string): Promise<void>;
  /** When the job with each key was finished, once all of them are. */
  finished(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** SQL statements run by this contender's database so far; null when it has none. */
  statements(): Promise<number | null>;
}

/** One job: when its submission began and when it was finished, ms since the epoch. */
export interface Sample {
  readonly startMs: number;
  readonly endMs: number;
}
