import { Effect, Layer } from "effect"
import { openDatabase } from "./Database.ts"
import { History, type HistoryError } from "./History.ts"
import { HistoryRecord } from "./HistoryRecord.ts"
import type { NetworkIdentity } from "./NetworkOwner.ts"
import { makeRecorder } from "./Recorder.ts"
import { makeReader } from "./SqliteReader.ts"
import { makeWriter } from "./SqliteWriter.ts"

export interface SqliteHistoryOptions {
  readonly path: string
  /** Whose history it is: a file that belongs to another network is refused. Unchecked if left out. */
  readonly network?: NetworkIdentity
}

/**
 * The history in an SQLite file, made if there is none. The folder must exist; one process at a time can write, others
 * can read. Closing writes what is queued.
 */
export const layer = (options: SqliteHistoryOptions): Layer.Layer<History, HistoryError> =>
  Layer.scoped(
    History,
    Effect.gen(function* () {
      const sql = yield* openDatabase(options.path, options.network)
      const writer = yield* makeWriter(sql)
      const recorder = yield* makeRecorder({ weigh, capacity, write: writer.write })
      return History.of({
        recordProbe: (probe, conversation, coverage) =>
          recorder.record(HistoryRecord.Probe({ probe, conversation, coverage: coverage ?? null })),
        recordOrphan: (slot, root, at) => recorder.record(HistoryRecord.Orphan({ slot, root, at })),
        recordConversation: (peerId, conversation, failure, at) =>
          recorder.record(HistoryRecord.Conversation({ peerId, conversation, failure, at })),
        recordClaim: (peerId, claim) => recorder.record(HistoryRecord.Claim({ peerId, claim })),
        recordFindings: (peerId, findings) => recorder.record(HistoryRecord.Findings({ peerId, findings })),
        recordPeer: (peerId, seen) => recorder.record(HistoryRecord.Peer({ peerId, ...seen })),
        flush: recorder.flush,
        state: recorder.state,
        ...makeReader(sql)
      })
    })
  )

/** Roughly the microseconds that writing takes: what is queued stays within the 250 ms, and within some megabytes. */
const weigh = (record: HistoryRecord): number => (record._tag === "Probe" ? 200 + record.probe.outcomes.length : 100)
const capacity = 50_000
