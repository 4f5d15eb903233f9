/** Code as it is usually written, as long as it is asked for: one function or statement after the other. */

export type BenchLanguage = "typescript" | "javascript" | "python" | "go" | "rust" | "java" | "sql";

interface Style {
  readonly before: string;
  /** One of many, with a name of its own. */
  readonly item: (n: number) => string;
  readonly after: string;
}

const styles: Readonly<Record<BenchLanguage, Style>> = {
  typescript: {
    before: 'import { readFile } from "node:fs/promises";\n\n',
    item: (n) => `/** Adds up what belongs to one group, the largest first. */
export async function total${n}(rows: readonly { group: string; amount: number }[], limit = ${n}): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const { group, amount } of rows.slice(0, limit)) {
    if (amount < 0 || !Number.isFinite(amount)) throw new RangeError(\`row \${group} has the amount \${amount}\`);
    sums.set(group, (sums.get(group) ?? 0) + amount * (1 + ${n} / 100));
  }
  const text = await readFile("groups.txt", { encoding: "utf8" });
  return new Map([...sums].filter(([name]) => text.includes(name)).toSorted((a, b) => b[1] - a[1]));
}

`,
    after: "",
  },
  javascript: {
    before: "",
    item: (n) => `/** Groups rows by what a function says of them. */
export function total${n}(rows, keyOf = (row) => row.key) {
  const groups = Object.create(null);
  for (const row of rows) {
    const key = String(keyOf(row)).trim().toLowerCase();
    (groups[key] ??= []).push({ ...row, seen: row.seen?.length > ${n} ? [...row.seen, key] : [] });
  }
  return Object.entries(groups).map(([key, list]) => ({ key, count: list.length, first: list[0] ?? null }));
}

`,
    after: "",
  },
  python: {
    before: "from __future__ import annotations\n\nimport re\n\n\n",
    item: (n) => `def total_${n}(rows: list[dict[str, float]], *, limit: int = ${n}) -> dict[str, float]:
    """Adds up what belongs to one group."""
    sums: dict[str, float] = {}
    for row in rows[:limit]:
        if row["amount"] < 0 or not re.fullmatch(r"[a-z]+", str(row.get("group", ""))):
            raise ValueError(f"row {row!r} cannot be added")
        sums[str(row["group"])] = sums.get(str(row["group"]), 0.0) + row["amount"] * (1 + ${n} / 100)
    return dict(sorted(((key, value) for key, value in sums.items() if value), key=lambda pair: -pair[1]))


`,
    after: "",
  },
  go: {
    before: 'package report\n\nimport (\n\t"errors"\n\t"fmt"\n\t"sort"\n)\n\n',
    item: (n) => `// Total${n} adds up what belongs to one group.
func Total${n}(rows []Row, limit int) (map[string]float64, error) {
\tsums := make(map[string]float64, len(rows))
\tfor i, row := range rows {
\t\tif row.Amount < 0 || i >= limit {
\t\t\treturn nil, fmt.Errorf("row %d: %w", i, errors.New("cannot be added"))
\t\t}
\t\tsums[row.Group] += row.Amount * (1 + ${n}/100.0)
\t}
\tsort.Slice(rows, func(a, b int) bool { return rows[a].Amount > rows[b].Amount })
\treturn sums, nil
}

`,
    after: "type Row struct {\n\tGroup  string\n\tAmount float64\n}\n",
  },
  rust: {
    before: "use std::collections::HashMap;\n\n",
    item: (n) => `/// Adds up what belongs to one group.
pub fn total_${n}(rows: &[Row], limit: usize) -> Result<HashMap<String, f64>, Error> {
    let mut sums: HashMap<String, f64> = HashMap::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate().take(limit) {
        match row.amount {
            amount if amount < 0.0 => return Err(Error::new(format!("row {i} has the amount {amount}"))),
            amount => *sums.entry(row.group.clone()).or_insert(0.0) += amount * (1.0 + ${n} as f64 / 100.0),
        }
    }
    Ok(sums.into_iter().filter(|(_, sum)| *sum > 0.0).collect::<HashMap<_, _>>())
}

`,
    after: "",
  },
  java: {
    before: "package report;\n\nimport java.util.*;\nimport java.util.stream.*;\n\npublic final class Report {\n",
    item: (n) => `    /** Adds up what belongs to one group. */
    public static Map<String, Double> total${n}(List<Row> rows, int limit) {
        Map<String, Double> sums = new HashMap<>();
        for (Row row : rows.subList(0, Math.min(limit, rows.size()))) {
            if (row.amount() < 0) {
                throw new IllegalArgumentException("row " + row + " cannot be added");
            }
            sums.merge(row.group(), row.amount() * (1 + ${n} / 100.0), Double::sum);
        }
        return sums.entrySet().stream().filter(each -> each.getValue() > 0)
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

`,
    after: "    record Row(String group, double amount) {}\n}\n",
  },
  sql: {
    before: "",
    item: (n) => `WITH recent AS (
  SELECT o.customer, sum(o.total) AS total, count(*) FILTER (WHERE o.returned IS NOT NULL) AS returned
  FROM sales.orders o LEFT JOIN sales.returns r ON r.order_id = o.id AND r.kind IN ('full', 'part')
  WHERE o.placed_at >= date_trunc('month', now()) - interval '${n} days' AND o.state <> 'cancelled'
  GROUP BY o.customer HAVING sum(o.total) > ${n}.50
)
SELECT c.name, coalesce(recent.total, 0) AS total, rank() OVER (PARTITION BY c.region ORDER BY recent.total DESC)
FROM customers c JOIN recent ON recent.customer = c.id
WHERE EXISTS (SELECT 1 FROM contacts k WHERE k.customer = c.id AND k.mail ILIKE '%@example.com')
ORDER BY 2 DESC LIMIT 100`,
    after: "",
  },
};

/** The code, and a name that it declares near its end. */
export function codeIn(language: BenchLanguage, characters: number): { code: string; declared: string } {
  const { before, item, after } = styles[language];
  const items: string[] = [];
  for (let length = 0; length < characters * 0.97 || items.length === 0; length += items.at(-1)?.length ?? 0)
    items.push(item(items.length));
  const last = items.length - 1;
  const declared = language === "python" || language === "rust" ? `total_${last}` : `total${last}`;
  return {
    code: `${before}${items.join(language === "sql" ? ";\n" : "")}${after}`,
    declared: language === "go" ? `Total${last}` : declared,
  };
}
