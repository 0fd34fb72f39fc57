import { Schema } from "effect"
import { PeerView } from "../../domain/peer/PeerView.ts"
import { Slot } from "../../domain/Primitives.ts"
import { ArrivalsBy, ArrivalsRow, SlotArrivals } from "../../domain/report/ArrivalQuestion.ts"
import { ComplianceBy, ComplianceRow, ProbeSummary, UntestedRow, WorstRow } from "../../domain/report/Question.ts"

/** The bodies of responses, where they are not as the engine or the history has them. */

export const PeerPage = Schema.Struct({
  /** Peers that the filters let through, on all pages. */
  total: Schema.Int,
  peers: Schema.Array(PeerView),
  /** `cursor` of the next page; `null` when this is the last. */
  next: Schema.NullOr(Schema.String)
})

/** A page can hold fewer probes than the limit, and even none, while there is a next one. */
export const ProbePage = Schema.Struct({
  probes: Schema.Array(ProbeSummary),
  /** `cursor` of the next page; `null` when this is the last. */
  next: Schema.NullOr(Schema.Int)
})

const { group: _group, peers: _peers, probes: _probes, client: _client, ...compliance } = ComplianceRow.fields

export const Columns = Schema.Struct({
  /** All 128, ascending. */
  columns: Schema.Array(
    Schema.Struct({
      column: Schema.Int,
      /** Peers that are tracked and claim it, and those of them that are connected. */
      claimed: Schema.Int,
      connected: Schema.Int,
      ...compliance
    })
  )
})

export const ArrivalsOfSlot = Schema.Struct({ slot: Slot, blocks: SlotArrivals })

const byClient = {
  probes: Schema.NullOr(Schema.Int),
  /** Peers that were probed; one that changed its client counts for both. */
  peers: Schema.NullOr(Schema.Int),
  ...compliance
}

export const Clients = Schema.Struct({
  /** The most tested first. */
  clients: Schema.Array(Schema.Struct({ client: Schema.String, ...byClient })),
  versions: Schema.Array(Schema.Struct({ version: Schema.String, ...byClient }))
})

const rows = <By extends Schema.Schema.Any, Row extends Schema.Schema.Any>(by: By, row: Row) =>
  Schema.Struct({
    by,
    rows: Schema.Array(row),
    /** Whether there are more rows than were asked for. */
    more: Schema.Boolean
  })

export const ReportRows = Schema.Union(
  rows(ComplianceBy, ComplianceRow),
  rows(Schema.Literal("worst"), WorstRow),
  rows(Schema.Literal("untested"), UntestedRow),
  rows(ArrivalsBy, ArrivalsRow)
)

export const Alive = Schema.Struct({ status: Schema.Literal("alive") })
export const Ready = Schema.Struct({ status: Schema.Literal("ready") })
