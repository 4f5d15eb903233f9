/** Every bound of the checks, in one place. A bound that is reached becomes a finding, never a crash. */

/** The longest answer that is read, in UTF-16 code units: four times what 64k output tokens usually come to. */
export const OUTPUT_CHARACTERS_MAX = 1_048_576;
/**
 * The longest answer that is checked in the process that needs it, with its input as JSON. The checks of a longer one may
 * take a tenth of a second each, for which everybody else would wait: they are made in the sandbox.
 */
export const INLINE_CHARACTERS_MAX = 131_072;
/** What one check may have to do there: a twentieth of a second. */
export const INLINE_STEPS_MAX = 5_000_000;
/** How deeply an answer's arrays and objects may nest. */
export const OUTPUT_DEPTH_MAX = 64;
/** Findings that one validator may return. */
export const LEAF_FINDINGS_MAX = 25;
/** Findings of a whole verdict. */
export const VERDICT_FINDINGS_MAX = 50;
/** Characters of a finding's path and of its message. */
export const FINDING_PATH_CHARACTERS_MAX = 200;
export const FINDING_MESSAGE_CHARACTERS_MAX = 300;
/** Characters of a value of the answer that a message quotes. */
export const QUOTE_CHARACTERS_MAX = 60;
/** Values that one check looks at; an answer with more fails it. */
export const VALUES_MAX = 10_000;
/** Leaves and levels of a validator tree. */
export const TREE_LEAVES_MAX = 32;
export const TREE_DEPTH_MAX = 8;
/** The largest weight of a member of `weighted`: larger ones say nothing that smaller ones cannot. */
export const WEIGHT_MAX = 1_000;
