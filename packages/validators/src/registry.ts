/** The validators there are. A new one is a new folder and a line here. */
import { arithmetic } from "./arithmetic/arithmetic.ts";
import { codeSyntax } from "./code_syntax/code_syntax.ts";
import { fieldsComplete } from "./fields_complete/fields_complete.ts";
import { format } from "./format/format.ts";
import { grounded } from "./grounded/grounded.ts";
import { jsonSchema } from "./json_schema/json_schema.ts";
import { join } from "./pointer.ts";
import { testCases } from "./test_cases/test_cases.ts";
import { type Problem, type RegisteredValidator, type Validator, ValidatorError } from "./validator.ts";

/** The longest list of mistakes that one node's options are answered with. */
const PROBLEMS_MAX = 20;

const registered: ReadonlyMap<string, RegisteredValidator> = new Map(
  [
    register(arithmetic),
    register(codeSyntax),
    register(fieldsComplete),
    register(format),
    register(grounded),
    register(jsonSchema),
    register(testCases),
  ].map((validator) => [validator.name, validator]),
);

/** The validator of this name, or null. */
export function validatorNamed(name: string): RegisteredValidator | null {
  return registered.get(name) ?? null;
}

/** Every name there is, sorted. */
export function validatorNames(): readonly string[] {
  return [...registered.keys()].toSorted();
}

/** Closes over the type of the options. */
export function register<O>(validator: Validator<O>): RegisteredValidator {
  const { name, version, place } = validator;
  // A version's options are the same object for all of its jobs: they are checked once.
  const checked = new WeakMap<object, O>();
  const optionsOf = (options: unknown): O => {
    const known = typeof options === "object" && options !== null ? checked.get(options) : undefined;
    if (known !== undefined) return known;
    const parsed = validator.options.safeParse(options);
    if (!parsed.success)
      throw new ValidatorError(`the options of ${name}@${version} do not fit: publish the type anew`);
    if (typeof options === "object" && options !== null) checked.set(options, parsed.data);
    return parsed.data;
  };
  return {
    name,
    version,
    place,
    problemsOf(options) {
      const parsed = validator.options.safeParse(options);
      if (parsed.success) return [];
      return parsed.error.issues.slice(0, PROBLEMS_MAX).map((issue): Problem => ({
        path: issue.path.reduce<string>((path, segment) => join(path, String(segment)), ""),
        message: issue.message,
      }));
    },
    run: (subject, options) => validator.validate(subject, optionsOf(options)),
  };
}
