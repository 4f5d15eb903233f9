/** Something the person at the keyboard can mend. The message is one or two sentences and is all they need to see. */
export class Problem extends Error {
  override readonly name = "Problem";
}
