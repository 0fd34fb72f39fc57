import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { parse } from "yaml"

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

const DataSource = Schema.Struct({ type: Schema.Literal("prometheus"), uid: Schema.Literal("${datasource}") })

const Panel = Schema.Struct({
  id: Schema.Int,
  type: Schema.Literal("row", "timeseries", "stat", "heatmap"),
  title: Schema.NonEmptyString,
  datasource: Schema.optional(DataSource),
  gridPos: Schema.Struct({ x: Schema.Int, y: Schema.Int, w: Schema.Int, h: Schema.Int }),
  targets: Schema.optionalWith(
    Schema.Array(
      Schema.Struct({
        refId: Schema.String,
        datasource: DataSource,
        expr: Schema.NonEmptyString,
        legendFormat: Schema.NonEmptyString
      })
    ),
    { default: () => [] }
  )
})

const Dashboard = Schema.Struct({
  uid: Schema.Literal("dasmon"),
  title: Schema.NonEmptyString,
  schemaVersion: Schema.Int,
  panels: Schema.Array(Panel),
  templating: Schema.Struct({
    list: Schema.Array(
      Schema.Struct({ name: Schema.String, type: Schema.String, definition: Schema.optional(Schema.String) })
    )
  })
})

const AlertRules = Schema.Struct({
  groups: Schema.Array(
    Schema.Struct({
      name: Schema.NonEmptyString,
      rules: Schema.Array(
        Schema.Struct({
          alert: Schema.String.pipe(Schema.pattern(/^Dasmon[A-Za-z]+$/)),
          expr: Schema.NonEmptyString,
          for: Schema.String.pipe(Schema.pattern(/^\d+[smh]$/)),
          labels: Schema.Struct({ severity: Schema.Literal("critical", "warning", "info") }),
          annotations: Schema.Struct({ summary: Schema.NonEmptyString, description: Schema.NonEmptyString })
        })
      )
    })
  )
})

export const dashboard = Schema.decodeUnknownSync(Schema.parseJson(Dashboard))(read("scripts/ops/dashboard.json"))

/** Anything beside the keys of a rule would be refused by Prometheus. */
export const alertRules = Schema.decodeUnknownSync(AlertRules, { onExcessProperty: "error" })(
  parse(read("scripts/ops/alerts.yaml"))
).groups.flatMap(({ rules }) => rules)

/** The names of metrics that the one module defines. */
export const definedNames: ReadonlySet<string> = new Set(
  [...read("src/domain/metrics/Metrics.ts").matchAll(/"(dasmon_\w+)"/g)].map(([, name = ""]) => name)
)
