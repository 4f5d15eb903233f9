/**
 * Those who wait, in lanes. The next one comes from the lane that has had the least time so far (fair queueing by virtual
 * time), so that a lane whose members take long keeps its own members waiting and nobody else's.
 */
interface Lane<T> {
  readonly waiting: T[];
  /** Members that were taken and have not been charged yet. */
  underWay: number;
  /** How much it has had, counted from where the others were when it came. */
  usedMs: number;
}

export class Lanes<T> {
  readonly #lanes = new Map<string, Lane<T>>();
  /** What the lane had had that was served last: who comes anew begins here, and has no credit from before. */
  #nowMs = 0;

  get length(): number {
    return this.#lanes.values().reduce((total, { waiting }) => total + waiting.length, 0);
  }

  add(name: string, item: T): void {
    this.#laneOf(name).waiting.push(item);
  }

  /** Puts one back that was taken, before all others of its lane. */
  putBack(name: string, item: T): void {
    this.#laneOf(name).waiting.unshift(item);
  }

  /**
   * The first of the lane that has had the least; whoever takes one charges for it in the end.
   * @param isReserved whether only a lane may come that has nobody under way
   */
  take(isReserved = false): T | undefined {
    const mayCome = ({ waiting, underWay }: Lane<T>): boolean => waiting.length > 0 && !(isReserved && underWay > 0);
    const waiting = this.#lanes.values().filter(mayCome);
    const [next] = [...waiting].toSorted((a, b) => a.usedMs - b.usedMs);
    if (next === undefined) return undefined;
    next.underWay += 1;
    this.#nowMs = Math.max(this.#nowMs, next.usedMs);
    return next.waiting.shift();
  }

  charge(name: string, ms: number): void {
    const lane = this.#laneOf(name);
    lane.underWay -= 1;
    lane.usedMs += ms;
    this.#forget(name, lane);
  }

  /** False when it waits no more. */
  remove(name: string, item: T): boolean {
    const lane = this.#laneOf(name);
    const at = lane.waiting.indexOf(item);
    if (at !== -1) lane.waiting.splice(at, 1);
    this.#forget(name, lane);
    return at !== -1;
  }

  /** All that wait; nobody does afterwards. */
  drain(): readonly T[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting.splice(0));
  }

  #laneOf(name: string): Lane<T> {
    const lane = this.#lanes.get(name) ?? { waiting: [], underWay: 0, usedMs: this.#nowMs };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Once it has nobody any more; one that has had more than the others would come back as if it had not. */
  #forget(name: string, { waiting, underWay, usedMs }: Lane<T>): void {
    if (waiting.length === 0 && underWay === 0 && usedMs <= this.#nowMs) this.#lanes.delete(name);
  }
}
