/** When one model may judge another's answers: never itself, and never a close relative of the same strength. */

/** A model and where it stands. */
export interface PlacedModel {
  readonly model: string;
  /** The tier that the catalog has it in; null: in none. */
  readonly tier: string | null;
}

/**
 * The family of a model: its id without the version. `claude-sonnet-5` and `claude-sonnet-5-5` are one family, and are
 * likely to share their blind spots; `claude-haiku-5-5` is another.
 */
export function familyOf(model: string): string {
  const named = model.split("-").filter((part) => !/^\d+(?:\.\d+)*$/.test(part));
  return named.length === 0 ? model : named.join("-");
}

/**
 * Whether a model may judge what another one produced: it is of another family, or at least of another tier. A model
 * that stands in no tier differs by its family alone.
 */
export function mayJudge(judge: PlacedModel, producer: PlacedModel): boolean {
  if (judge.model === producer.model) return false;
  if (familyOf(judge.model) !== familyOf(producer.model)) return true;
  return judge.tier !== null && producer.tier !== null && judge.tier !== producer.tier;
}
