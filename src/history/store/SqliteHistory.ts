import { Context, Duration, Effect, Layer, Option } from "effect"
import { AddressBook } from "../../discovery/book/AddressBook.ts"
import { limitSize, openDatabase } from "./sqlite/Database.ts"
import { showFileSizes } from "./sqlite/FileSizes.ts"
import { History, type HistoryError } from "./History.ts"
import { HistoryRecord } from "./HistoryRecord.ts"
import type { NetworkIdentity } from "./sqlite/NetworkOwner.ts"
import { keepToRetention } from "../retention/Retention.ts"
import { makeRecorder, WriteError } from "./Recorder.ts"
import { makeBook } from "./sqlite/SqliteBook.ts"
import { makeReader } from "./sqlite/SqliteReader.ts"
import { makeWriter, type Writer } from "./sqlite/SqliteWriter.ts"

export interface SqliteHistoryOptions {
  readonly path: string
  /** Whose history it is: a file that belongs to another network is refused. Unchecked if left out. */
  readonly network?: NetworkIdentity
  /** How long is kept what was recorded; 18 days if left out. Nothing is deleted while the network is not known. */
  readonly retention?: Duration.Duration
  /** The file does not grow beyond this: recording pauses as if the disk were full. No limit if left out. */
  readonly maxBytes?: number
}

/**
 * The history in an SQLite file, made if there is none. The folder must exist; one process at a time can write, others
 * can read. Closing writes what is queued. The address book is in the same file.
 */
export const layer = (options: SqliteHistoryOptions): Layer.Layer<History | AddressBook, HistoryError> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const { network, retention = Duration.days(18) } = options
      const sql = yield* openDatabase(options.path, network)
      if (options.maxBytes !== undefined) yield* limitSize(sql, options.path, options.maxBytes)
      const writer = yield* makeWriter(sql)
      if (network !== undefined) yield* keepToRetention(sql, writer, { network, retention })
      yield* showFileSizes(options.path)
      const recorder = yield* makeRecorder({ weigh, capacity, write: writeTo(options.path, writer) })
      const history = History.of({
        recordProbe: (probe, conversation, coverage) =>
          recorder.record(HistoryRecord.Probe({ probe, conversation, coverage: Option.fromNullable(coverage) })),
        recordOrphan: (slot, root, at) => recorder.record(HistoryRecord.Orphan({ slot, root, at })),
        recordArrivals: (arrivals) => recorder.record(HistoryRecord.Arrivals({ arrivals })),
        recordAvailability: (verdict) => recorder.record(HistoryRecord.Availability({ verdict })),
        recordGossipFault: (fault) => recorder.record(HistoryRecord.GossipFault({ fault })),
        recordConversation: (peerId, conversation, failure, at) =>
          recorder.record(HistoryRecord.Conversation({ peerId, conversation, failure, at })),
        recordClaim: (peerId, claim) => recorder.record(HistoryRecord.Claim({ peerId, claim })),
        recordFindings: (peerId, findings) => recorder.record(HistoryRecord.Findings({ peerId, findings })),
        recordStanding: (peerId, standing) => recorder.record(HistoryRecord.Standing({ peerId, standing })),
        recordPeer: (peerId, seen) => recorder.record(HistoryRecord.Peer({ peerId, ...seen })),
        flush: recorder.flush,
        state: recorder.state,
        ...makeReader(sql)
      })
      return Context.make(History, history).pipe(Context.add(AddressBook, yield* makeBook(sql)))
    })
  )

/** The path is part of what a person needs to know to help. */
const writeTo =
  (path: string, { write }: Writer) =>
  (batch: ReadonlyArray<HistoryRecord>) =>
    Effect.mapError(write(batch), ({ passing, reason }) => new WriteError({ reason: `${path}: ${reason}`, passing }))

/** Roughly the microseconds that writing takes: what is queued stays within the 250 ms, and within some megabytes. */
const weigh = (record: HistoryRecord): number => {
  switch (record._tag) {
    case "Probe":
      return 200 + record.probe.outcomes.length
    case "Arrivals":
      return 100 + 30 * record.arrivals.columns.length
    default:
      return 100
  }
}
const capacity = 50_000
