/** What was read or made once and never changes: kept in a bounded map. */

/** A maker that hands out again what it has made, for up to `keptMax` keys; the one that was used longest ago makes room. */
export function reusing<Key, Value>(make: (key: Key) => Value, keptMax: number): (key: Key) => Value {
  const kept = new Map<Key, Value>();
  return (key) => {
    const value = kept.get(key) ?? make(key);
    kept.delete(key);
    const [oldest] = kept.keys();
    if (kept.size >= keptMax && oldest !== undefined) kept.delete(oldest);
    kept.set(key, value);
    return value;
  };
}

/** A reader that remembers up to `keptMax` values; the one that was kept longest makes room. A failure is not remembered: the next one who asks tries again. */
export function remembering<Key, Value>(
  load: (key: Key) => Promise<Value>,
  keptMax: number,
): (key: Key) => Promise<Value> {
  const kept = new Map<Key, Promise<Value>>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const loading = load(key);
    const [oldest] = kept.keys();
    if (kept.size >= keptMax && oldest !== undefined) kept.delete(oldest);
    kept.set(key, loading);
    loading.catch(() => kept.delete(key));
    return loading;
  };
}
