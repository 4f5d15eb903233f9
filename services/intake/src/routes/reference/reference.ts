/**
 * The reference of the API: the OpenAPI document, a page that shows it, and the list of errors. Everything comes from this
 * process; nothing is loaded from elsewhere.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { ERROR_CODES, ERRORS } from "@contingent/contracts/http/errors";
import { openApiDocument } from "@contingent/contracts/http/openapi";
import { Router, type Response } from "express";
import { swaggerUi } from "./page.ts";
import { errorPage } from "./error-page.ts";

const API_VERSION = "0.1.0";
/** Files of swagger-ui-dist that the page needs. */
const ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];
/** swagger-ui writes styles into its elements; scripts come from this server only. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Routes that need no key: they say what everybody may know. */
export function referenceRouter(): Router {
  // Made when it is first asked for: it takes as long as a tenth of all that the API does until it listens.
  let document: string | null = null;
  const folder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const router = Router();
  router.get("/openapi.json", (_request, response) => {
    document ??= JSON.stringify(openApiDocument({ version: API_VERSION }));
    response.type("application/json").set("Access-Control-Allow-Origin", "*").send(document);
  });
  router.get("/docs", (_request, response) => html(response, swaggerUi.html));
  router.get("/docs/errors", (_request, response) => html(response, errorPage(ERROR_CODES, ERRORS)));
  router.get("/docs/assets/start.js", (_request, response) => {
    response.type("text/javascript").send(swaggerUi.script);
  });
  for (const asset of ASSETS) {
    router.get(`/docs/assets/${asset}`, (_request, response) =>
      response.sendFile(asset, { root: folder, maxAge: "1h" }),
    );
  }
  return router;
}

function html(response: Response, page: string): void {
  response.set("Content-Security-Policy", PAGE_POLICY).type("html").send(page);
}
