/** A child of the sandbox, with every check loaded. */
import { checkNamed } from "@contingent/validators/registry";
import { serve } from "./serve.ts";

serve(checkNamed);
