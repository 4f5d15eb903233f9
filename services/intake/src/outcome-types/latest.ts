/** Which version a new job gets: the latest one of its outcome type. */
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { latestVersionId } from "@contingent/db/outcome-types-published";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import type { Queryable } from "@contingent/db/pool";

/** For how long a process may go on accepting jobs under the version before, when another process published one. */
const LATEST_TTL_MS = 1_000;
const NAMES_MAX = 1_000;

export interface LatestVersions {
  /** The latest version of the name; null when there is no such outcome type. */
  readonly get: (name: string) => Promise<OutcomeTypeVersion | null>;
  /** Forgets what is known of a name: a version has just been published here. */
  readonly forget: (name: string) => void;
}

export function latestVersions(db: Queryable, versions: OutcomeTypeVersions): LatestVersions {
  const kept = new Map<string, { readonly id: Promise<OutcomeTypeVersionId | null>; readonly untilMs: number }>();
  const lookUp = (name: string): Promise<OutcomeTypeVersionId | null> => {
    const known = kept.get(name);
    if (known !== undefined && performance.now() < known.untilMs) return known.id;
    const id = latestVersionId(db, name);
    const [oldest] = kept.keys();
    if (kept.size >= NAMES_MAX && oldest !== undefined) kept.delete(oldest);
    kept.set(name, { id, untilMs: performance.now() + LATEST_TTL_MS });
    // A failure is not remembered, and neither is a missing name: it may be published any moment.
    id.then(
      (found) => found ?? kept.delete(name),
      () => kept.delete(name),
    );
    return id;
  };
  return {
    async get(name) {
      const id = await lookUp(name);
      return id === null ? null : versions.get(id);
    },
    forget: (name) => void kept.delete(name),
  };
}
