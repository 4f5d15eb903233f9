/** As it is asked for: undefined when nothing is said of it, null: never. */
export function expiryOf(asked: string | null | undefined): number | null | undefined {
  return typeof asked === "string" ? Date.parse(asked) : asked;
}
