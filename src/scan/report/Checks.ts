import { Array as Arr, Option } from "effect"
import { isCustodyCount } from "../../domain/column/Custody.ts"
import {
  type ChainParameters,
  custodyRequirement,
  numberOfCustodyGroups,
  serveRange,
  slotAt
} from "../../domain/network/Chain.ts"
import type { Claim } from "../../domain/peer/Claim.ts"
import type { Subnets } from "../../domain/peer/Subnets.ts"
import {
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  goodbye,
  metadataV3,
  ping,
  statusV2
} from "../../wire/Protocol.ts"
import type { ScanLog, Statement } from "./ScanLog.ts"
import type { Check } from "../../domain/scan/ScanReport.ts"

/** What the peer's claim can be held against, of what was heard. `now`: Unix milliseconds. */
export const claimChecks = (
  chain: ChainParameters,
  log: ScanLog,
  claim: Option.Option<Claim>,
  now: number
): ReadonlyArray<Check> =>
  Option.match(log.statement, {
    onNone: () => [],
    onSome: (statement) => [
      network(log, statement),
      ...finality(log),
      custodyCount(statement),
      ...againstRecord(log, statement),
      ...sequenceNumber(log, statement),
      earliestSlot(chain, statement, now),
      protocols(log),
      ...Option.toArray(Option.map(claim, (claim) => subscriptions(log, claim)))
    ]
  })

const network = ({ ours }: ScanLog, { forkDigest }: Statement): Check =>
  ours.forkDigests.includes(forkDigest)
    ? { name: "network", result: "ok", detail: `fork digest ${forkDigest}, as the beacon node's` }
    : {
        name: "network",
        result: "bad",
        detail: `fork digest ${forkDigest}, the beacon node's is ${ours.forkDigests.join(" or ")}`
      }

const finality = (log: ScanLog): ReadonlyArray<Check> =>
  Option.toArray(log.finality).map(({ agreement }): Check => {
    switch (agreement) {
      case "ours":
        return { name: "finality", result: "ok", detail: "its finalized checkpoint is of our chain" }
      case "other":
        return { name: "finality", result: "bad", detail: "its finalized checkpoint is not of the beacon node's chain" }
      case "withheld":
        return {
          name: "finality",
          result: "note",
          detail: "it names no finalized checkpoint, or an old one, though its head follows"
        }
      case "unknown":
        return {
          name: "finality",
          result: "unknown",
          detail: "whether its finalized checkpoint is of our chain cannot be told now"
        }
    }
  })

const custodyCount = ({ metadataCount }: Statement): Check => {
  if (metadataCount === undefined) {
    return { name: "custody_count", result: "note", detail: "its MetaData says no custody group count (version 3)" }
  }
  const isInRange = isCustodyCount(metadataCount)
  const detail = `${metadataCount} custody groups${isInRange ? "" : `; allowed is ${custodyRequirement} to ${numberOfCustodyGroups}`}`
  return { name: "custody_count", result: isInRange ? "ok" : "bad", detail }
}

/** A record that somebody kept may be old: what differs is shown, and held against nobody. */
const againstRecord = ({ record }: ScanLog, statement: Statement): ReadonlyArray<Check> => {
  if (Option.isNone(record)) return []
  const { custodyGroupCount, forkDigest, subnets } = record.value
  const said = Option.zipWith(subnets, Option.fromNullable(statement.subnets), (ofRecord, ofMetadata) =>
    compared("enr_subnets", "subnets", subnetsText(ofRecord), subnetsText(ofMetadata))
  )
  return [
    ...(statement.metadataCount === undefined
      ? []
      : Option.toArray(custodyGroupCount).map((count) =>
          compared("enr_custody_count", "custody groups", String(count), String(statement.metadataCount))
        )),
    ...Option.toArray(forkDigest).map((digest) =>
      compared("enr_fork_digest", "fork digest", digest, statement.forkDigest)
    ),
    ...Option.toArray(said)
  ]
}

const compared = (name: Check["name"], what: string, ofRecord: string, said: string): Check =>
  ofRecord === said
    ? { name, result: "ok", detail: `${what} as in the ENR` }
    : { name, result: "note", detail: `${what}: it says ${said}, the ENR ${ofRecord}; the ENR may be an old one` }

const subnetsText = ({ attnets, syncnets }: Subnets): string =>
  `attnets ${attnets.join(" ") || "none"}, syncnets ${syncnets.join(" ") || "none"}`

/** Pings are answered with the sequence number of the MetaData; both only ever grow. */
const sequenceNumber = ({ pings }: ScanLog, statement: Statement): ReadonlyArray<Check> => {
  const answered = pings.flatMap(({ sequenceNumber }) => (sequenceNumber === null ? [] : [sequenceNumber]))
  const before = statement.sequenceNumber
  const [first] = answered
  if (first === undefined || before === undefined) return []
  const all = [before, ...answered]
  const falls = all.some((one, index) => index > 0 && one < (all[index - 1] ?? one))
  if (falls)
    return [
      {
        name: "sequence_number",
        result: "bad",
        detail: `the sequence number of its MetaData went back: ${all.join(", ")}`
      }
    ]
  return [
    all.every((one) => one === before)
      ? { name: "sequence_number", result: "ok", detail: `${before}, in MetaData and in answers to Ping` }
      : {
          name: "sequence_number",
          result: "note",
          detail: `the sequence number of its MetaData grew meanwhile: ${all.join(", ")}`
        }
  ]
}

const earliestSlot = (chain: ChainParameters, { earliestAvailableSlot, headSlot }: Statement, now: number): Check => {
  const name = "earliest_slot"
  if (earliestAvailableSlot === undefined) {
    return { name, result: "note", detail: "it does not say from which slot on it has columns (Status version 1)" }
  }
  if (earliestAvailableSlot > headSlot) {
    const detail = `earliest available slot ${earliestAvailableSlot} is above its head ${headSlot}: so it is for a while where custody has just grown`
    return { name, result: "note", detail }
  }
  const { start } = serveRange(chain, Math.max(0, slotAt(chain, now)))
  return earliestAvailableSlot <= start
    ? { name, result: "ok", detail: `it claims columns from slot ${earliestAvailableSlot} on: all that must be kept` }
    : {
        name,
        result: "note",
        detail: `it claims columns from slot ${earliestAvailableSlot} on only; the network wants them from slot ${start} on`
      }
}

/** Those that every node must speak from Fulu on, as far as custody goes. */
const wanted = [statusV2, metadataV3, ping, goodbye, dataColumnSidecarsByRange, dataColumnSidecarsByRoot]

const protocols = ({ connection }: ScanLog): Check => {
  const offered = Option.match(connection, {
    onNone: (): ReadonlyArray<string> => [],
    onSome: ({ protocols }) => protocols
  })
  if (offered.length === 0) {
    return { name: "protocols", result: "unknown", detail: "it has not said which protocols it offers" }
  }
  const lacking = wanted.filter(({ id }) => !offered.includes(id)).map(({ id }) => id)
  const gossips = offered.some((id) => id.startsWith("/meshsub/"))
  const all = [...lacking, ...(gossips ? [] : ["/meshsub/…"])]
  return all.length === 0
    ? { name: "protocols", result: "ok", detail: `${offered.length} offered, all among them that custody needs` }
    : { name: "protocols", result: "bad", detail: `it does not offer ${all.join(", ")}` }
}

const subscriptions = ({ subscribed }: ScanLog, { columns }: Claim): Check => {
  const name = "subscriptions"
  if (Option.isNone(subscribed)) {
    return { name, result: "unknown", detail: "it has not said that it is on any gossip topic of columns" }
  }
  const lacking = Arr.difference(columns, subscribed.value)
  if (lacking.length === 0) return { name, result: "ok", detail: `on the gossip topics of all columns that it owes` }
  const shown = `${lacking.slice(0, 8).join(", ")}${lacking.length > 8 ? ", …" : ""}`
  return {
    name,
    result: "note",
    detail: `on the gossip topics of ${columns.length - lacking.length} of the ${columns.length} columns that it owes, not of ${shown}; if it has not just started, it gets those in no usual way`
  }
}
