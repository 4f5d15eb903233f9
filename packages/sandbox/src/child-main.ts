/** A child of the sandbox, with every check loaded. */
import { definitionCompiles } from "@contingent/validators/definition";
import { checkNamed } from "@contingent/validators/registry";
import { serve } from "./serve.ts";

serve((name) => (name === definitionCompiles.name ? definitionCompiles : checkNamed(name)));
