/** A child of the sandbox, with every check loaded. */
import { validatorNamed } from "@contingent/validators/registry";
import { serve } from "./serve.ts";

serve(validatorNamed);
