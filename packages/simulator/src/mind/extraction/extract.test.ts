import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extract } from "./extract.ts";
import { rounded } from "./numbers.ts";

describe("a document nobody has seen before", () => {
  const item = fc.record({
    name: fc.constantFrom("Garden chair", "Oak table 120 cm", "Parasol, green", "Cushion 40 x 40", "Fire bowl"),
    quantity: fc.integer({ min: 1, max: 99 }),
    cents: fc.integer({ min: 1, max: 99_999 }),
  });
  const items = fc.array(item, { minLength: 1, maxLength: 12 });

  /** The same figures in the ways of four countries. */
  const WAYS: readonly [string, (n: number) => string, readonly string[], string][] = [
    [
      "English",
      written(",", "."),
      ["Invoice no: ", "Invoice date: ", "Bill to: ", "Subtotal", "VAT 20%", "Total GBP"],
      "GBP",
    ],
    [
      "German",
      written(".", ","),
      ["Rechnungsnummer: ", "Rechnungsdatum: ", "Kunde: ", "Zwischensumme", "MwSt. 20 %", "Gesamtbetrag EUR"],
      "EUR",
    ],
    [
      "Swiss",
      written("'", "."),
      ["Rechnung Nr. ", "Datum: ", "Kunde: ", "Zwischensumme", "MwSt. 20 %", "Gesamtbetrag CHF"],
      "CHF",
    ],
    [
      "French",
      written(" ", ","),
      ["Facture n° : ", "Date de facture : ", "Client : ", "Total HT", "TVA 20 %", "Total TTC EUR"],
      "EUR",
    ],
  ];

  test.each(WAYS)("is read in the %s way of writing numbers, whatever the numbers", (_, write, labels, currency) => {
    const [number, date, buyer, subtotal, tax, total] = labels;
    fc.assert(
      fc.property(items, (drawn) => {
        const lines = drawn.map((d) => ({ ...d, price: d.cents / 100, amount: rounded((d.cents * d.quantity) / 100) }));
        const sum = rounded(lines.reduce((s, line) => s + line.amount, 0));
        const vat = rounded(sum * 0.2);
        const totalLine = `${total ?? ""}     ${write(rounded(sum + vat))}`;
        const text = [
          "Terrassenhof Limited",
          "",
          `${number ?? ""}TH-2041`,
          `${date ?? ""}2026-05-17`,
          `${buyer ?? ""}Hotel Aurora`,
          "",
          "Description          Qty     Price      Amount",
          ...lines.map(
            (l) => `${l.name.padEnd(20)} ${String(l.quantity).padStart(6)}    ${write(l.price)}    ${write(l.amount)}`,
          ),
          "",
          `${subtotal ?? ""}     ${write(sum)}`,
          `${tax ?? ""}     ${write(vat)}`,
          totalLine,
        ].join("\n");
        expect(extract(text).extracted).toEqual({
          kind: "invoice",
          number: "TH-2041",
          issueDate: "2026-05-17",
          currency,
          seller: "Terrassenhof Limited",
          buyer: "Hotel Aurora",
          lineItems: lines.map((l) => ({
            description: l.name,
            quantity: l.quantity,
            unitPrice: l.price,
            amount: l.amount,
          })),
          subtotal: sum,
          discount: 0,
          shipping: 0,
          tax: vat,
          total: rounded(sum + vat),
          evidence: totalLine,
        });
      }),
    );
  });

  test("is read when it comes as sentences", () => {
    const text = [
      "From: Ann Lee <ann@fernhill.example>",
      "Subject: Order FH-310",
      "Date: Mon, 04 May 2026 10:00:00 +0100",
      "",
      "Hello Ridge & Sons,",
      "",
      "order FH-310 from 2 May 2026 was 3 oak planks at £41.50 each and 12 brackets at £2.25 each.",
      "The total was £151.50.",
      "",
      "Kind regards,",
      "Ann Lee",
      "Fernhill Joinery",
    ].join("\n");
    expect(extract(text).extracted).toMatchObject({
      kind: "support_email",
      number: "FH-310",
      issueDate: "2026-05-02",
      currency: "GBP",
      seller: "Ridge & Sons",
      buyer: "Fernhill Joinery",
      lineItems: [
        { quantity: 3, amount: 124.5 },
        { quantity: 12, amount: 27 },
      ],
      total: 151.5,
    });
  });

  test("is read on a single line as far as it goes", () => {
    const text = "Invoice INV-9 dated 2026-04-01 from Acme Ltd: 4 x Widgets at $2.50 each. The total is $10.00.";
    expect(extract(text).extracted).toMatchObject({
      number: "INV-9",
      issueDate: "2026-04-01",
      currency: "USD",
      total: 10,
    });
  });

  test("is read when its columns stand a single space apart", () => {
    const text = [
      "Acme Tools Ltd",
      "Invoice no. A-118",
      "Issued: 5 May 2026",
      "From: Acme Tools Ltd",
      "To: Foo Ltd",
      "2 x Hammer @ 12.50 = 25.00",
      "Nails, 1 kg 4 3.00 12.00",
      "Total 37.00 EUR",
    ].join("\n");
    expect(extract(text).extracted).toMatchObject({
      seller: "Acme Tools Ltd",
      buyer: "Foo Ltd",
      lineItems: [
        { description: "Hammer", quantity: 2, unitPrice: 12.5, amount: 25 },
        { quantity: 4, unitPrice: 3, amount: 12 },
      ],
      total: 37,
    });
  });

  test.each([
    ["one long number", "1".repeat(60_000)],
    ["numbers and words", "1 a ".repeat(15_000)],
    ["names", `ordered from ${"Aa ".repeat(20_000)}`],
    ["labels", "a: ".repeat(20_000)],
    ["rows", "5 x a 1.00\n".repeat(5_000)],
  ])("of nothing but %s is read in time that grows with its length", (_, text) => {
    const startedAt = performance.now();
    extract(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test("that says nothing is answered with nothing", () => {
    const { extracted } = extract("The quick brown fox jumps over the lazy dog.");
    expect(extracted).toMatchObject({
      kind: "other",
      number: null,
      issueDate: null,
      currency: null,
      lineItems: [],
      total: null,
    });
  });
});

test.each([
  ["INVOICE\nDate: 03/04/2026\nBoise, ID 83702\nTotal   $5.00", "2026-03-04"],
  ["INVOICE\nDate: 03/04/2026\nLeeds\nTotal   £5.00", "2026-04-03"],
  ["INVOICE\nDate: 25/12/2026\nBoise, ID 83702\nTotal   $5.00", "2026-12-25"],
  ["Rechnung\nDatum: 3. März 2026", "2026-03-03"],
  ["Facture\nDate de facture : 1 août 2026", "2026-08-01"],
  ["Invoice dated the 12th of October 2026, due 2026-11-01", "2026-10-12"],
  ["Invoice\nDue: 2026-11-01\nIssued: 2026-10-02", "2026-10-02"],
  ["Invoice date: 31/02/2026", null],
])("the date of %j is %s", (text, date) => {
  expect(extract(text).extracted.issueDate).toBe(date);
});

/** A writer of amounts with two decimals. */
function written(thousands: string, decimal: string): (n: number) => string {
  return (n) => {
    const [whole = "", cents = ""] = n.toFixed(2).split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, thousands) + decimal + cents;
  };
}
