import { randomUUID } from "node:crypto"
import { Array as Arr, Clock, Context, Effect, Layer, Option } from "effect"
import { absences, type ColumnRequest, type SlotColumns } from "../domain/column/ColumnResponse.ts"
import { type Block, hasColumns, type SlotFacts } from "../domain/network/Block.ts"
import type { ClaimParts } from "../domain/peer/ClaimParts.ts"
import { type ClaimHistory, owes } from "../domain/peer/ClaimHistory.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import type { Job, Probe } from "../domain/probe/Job.ts"
import { MissingColumn, type ProbeError, type RequestError } from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { Evidence } from "../evidence/Evidence.ts"
import type { Conversation } from "../domain/peer/Verdict.ts"
import { Externs, type ExternsError } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Verifier } from "../kzg/Verifier.ts"
import { columnsByRange, columnsByRoot } from "../wire/Requests.ts"
import { askClaim } from "./AskClaim.ts"
import { overloaded } from "./ExcuseOverload.ts"
import { invalidColumnEvidence } from "./InvalidColumnEvidence.ts"
import { type Received, requestColumns } from "./RequestColumns.ts"
import { settle, toOutcome } from "./Settle.ts"
import { type Finished, signatureFindings, verifyDeliveries } from "./VerifyDelivered.ts"
import { LoopLag, overloadLagMs } from "../runtime/LoopLag.ts"

/** Whom to probe, by which claims, for what. */
export interface ProbeRequest {
  readonly address: PeerAddress
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** Held before the request: what is owed is judged by these. */
  readonly claims: ClaimHistory
  readonly job: Job
  /** As far as they are known. */
  readonly agent: Option.Option<string>
  readonly remoteAddress: Option.Option<string>
}

export interface ProbeResult {
  readonly probe: Probe
  readonly conversation: Conversation
  /** For every outcome `invalid`. */
  readonly evidence: ReadonlyArray<Evidence>
  /** What the peer said of itself afterwards, if it was asked. */
  readonly statement: Option.Option<Omit<ClaimParts, "nodeId">>
  /** Why the peer turned us away or did not answer. */
  readonly error: Option.Option<RequestError>
}

/** Carries out one job and says what every combination of it came to. */
export class Prober extends Context.Tag("dasmon/Prober")<
  Prober,
  {
    /** Fails only when there is no ground truth to ask by, and then the peer was not bothered. */
    readonly probe: (request: ProbeRequest) => Effect.Effect<ProbeResult, ExternsError>
  }
>() {
  static readonly layer = Layer.suspend(() => Layer.effect(Prober, make))
}

/** Requests by range in one probe: the first, and those that go on after a truncated answer. */
const maxRangeRequests = 3

const make = Effect.gen(function* () {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const commitments = yield* CommitmentCache
  const verifier = yield* Verifier
  const lag = yield* LoopLag
  const network = { chain, digests: digestTable(chain) }

  const probe = Effect.fn("Prober.probe")(function* (asked: ProbeRequest) {
    const { address, claims, job, nodeId } = asked
    const startedAt = yield* Clock.currentTimeMillis
    const facts = yield* commitments.range({ start: job.startSlot, end: job.startSlot + job.count - 1 })
    const blocks = dueBlocks(facts)
    const due = owedOf(blocks, claims, job)

    const collected = yield* collect(host, network, job, due, blocks)
    const { error, failed, received } = collected
    const unrelated: Array<Finding> = []
    const deliveries = received.flatMap((received) =>
      received.delivered.flatMap((sidecar) => {
        const block = blocks.get(sidecar.slot)
        if (block !== undefined) return owes(claims, sidecar.slot, sidecar.column) ? [{ block, sidecar, received }] : []
        const detail = `column ${sidecar.column} of slot ${sidecar.slot} came, whose canonical block has no blobs`
        unrelated.push({ kind: "unrequested_sidecar", detail })
        return []
      })
    )
    const verified = yield* verifyDeliveries(chain, verifier, commitments, deliveries)
    const worstLag = yield* lag.worstSince(startedAt)
    const settled = yield* settle({ chain, nodeId, claims, commitments, claimNow: askClaim(peerRefresh, address) }, [
      ...verified,
      ...failed.map((entry) => excuseOverload(entry, worstLag))
    ])
    const findings = [
      ...received.flatMap(({ findings }) => findings),
      ...signatureFindings(deliveries),
      ...Option.toArray(collected.late),
      ...unrelated.slice(0, 1)
    ]
    if (Option.isSome(settled.statement) && settled.finished.some(isRetracted)) {
      findings.push({ kind: "claim_retracted", detail: "the claim moved past what had just been asked for" })
    }
    const finishedAt = yield* Clock.currentTimeMillis
    const accused = {
      peerId: address.peerId,
      agent: Option.getOrNull(asked.agent),
      address: Option.getOrNull(asked.remoteAddress)
    }
    const first = Arr.head(received)
    const result: ProbeResult = {
      probe: {
        id: randomUUID(),
        job,
        startedAt,
        finishedAt,
        timings: {
          open: Option.getOrNull(Option.flatMap(first, ({ openMs }) => openMs)),
          firstByte: Option.getOrNull(Option.flatMap(first, ({ firstByteMs }) => firstByteMs)),
          total: finishedAt - startedAt
        },
        requests: received.length,
        bytes: received.reduce((sum, { bytes }) => sum + bytes, 0),
        outcomes: settled.finished.map(toOutcome).sort((a, b) => a.slot - b.slot || a.column - b.column),
        findings
      },
      conversation: Option.match(error, { onNone: () => "answered" as const, onSome: conversationOf }),
      evidence: invalidColumnEvidence({ chain, peer: accused, judgedAt: finishedAt }, settled.finished),
      statement: settled.statement,
      error
    }
    return result
  })

  return Prober.of({ probe })
})

/** How a request that ended with an error counts as a conversation. */
export const conversationOf = (error: RequestError): Conversation => {
  switch (error._tag) {
    case "PeerRefused":
      return "refused"
    case "ProbeTimeout":
    case "PeerDisconnected":
      return "unanswered"
    case "ColumnsUnavailable":
    case "MalformedResponse":
      return "answered"
  }
}

type Blocks = ReadonlyMap<number, Block>

const dueBlocks = (facts: ReadonlyArray<SlotFacts>): Blocks =>
  new Map(
    facts.flatMap((fact): ReadonlyArray<readonly [number, Block]> =>
      fact._tag === "Block" && hasColumns(fact.block) ? [[fact.block.slot, fact.block]] : []
    )
  )

/** Of the job, what the peer owes. Columns that it does not owe of a slot may still come, and are not judged. */
const owedOf = (blocks: Blocks, claims: ClaimHistory, job: Job): ReadonlyArray<SlotColumns> =>
  [...blocks.keys()]
    .sort((a, b) => a - b)
    .map((slot) => ({ slot, columns: job.columns.filter((column) => owes(claims, slot, column)) }))
    .filter(({ columns }) => columns.length > 0)

interface Collected {
  readonly received: ReadonlyArray<Received>
  readonly failed: ReadonlyArray<Finished>
  /** What was left out of an answer and came when it was asked for by root. */
  readonly late: Option.Option<Finding>
  /** The error that ended the conversation. */
  readonly error: Option.Option<RequestError>
}

/**
 * The conversation: by range, again from where a truncated answer stopped, and by root for what was left out. What is
 * still untouched when the requests are used up gets no outcome: it stays untested.
 */
const collect = Effect.fnUntraced(function* (
  host: Host["Type"],
  network: Parameters<typeof requestColumns>[1],
  job: Job,
  due: ReadonlyArray<SlotColumns>,
  blocks: Blocks
) {
  const received: Array<Received> = []
  const failed: Array<Finished> = []
  const gaps: Array<SlotColumns> = []
  const end = job.startSlot + job.count
  const collected = (error: Option.Option<RequestError>, late = Option.none<Finding>()): Collected => ({
    received,
    failed,
    late,
    error
  })

  let rest = due
  for (let attempt = 0; attempt < maxRangeRequests; attempt++) {
    const startSlot = attempt === 0 ? job.startSlot : (rest[0]?.slot ?? end)
    const request = { startSlot, count: end - startSlot, columns: job.columns }
    const one = yield* requestColumns(host, network, job.peerId, columnsByRange(request), {
      _tag: "ByRange",
      ...request
    })
    received.push(one)
    if (Option.isSome(one.error)) {
      failed.push(...failAll(blocks, [...gaps, ...undelivered(one, rest)], () => one.error))
      return collected(one.error)
    }
    const absent = absences(one.response, rest)
    gaps.push(...absent.gaps)
    rest = absent.truncated
    if (rest.length === 0) break
  }
  if (gaps.length === 0) return collected(Option.none())

  const request: ColumnRequest = { _tag: "ByRoot", blocks: gaps }
  const confirm = yield* requestColumns(host, network, job.peerId, columnsByRoot(identifiers(blocks, gaps)), request)
  received.push(confirm)
  const left = Option.isSome(confirm.error) ? undelivered(confirm, gaps) : absences(confirm.response, gaps).gaps
  failed.push(
    ...failAll(blocks, left, (slot, column) =>
      Option.orElseSome(confirm.error, () => new MissingColumn({ slot, column, detail: "left out of two answers" }))
    )
  )
  return collected(confirm.error, incompleteAnswer(gaps, left))
})

/** A finding if anything of the gaps is not left by now. */
const incompleteAnswer = (
  gaps: ReadonlyArray<SlotColumns>,
  left: ReadonlyArray<SlotColumns>
): Option.Option<Finding> => {
  const absent = new Map(left.map(({ columns, slot }) => [slot, new Set(columns)]))
  const late = gaps.flatMap(({ columns, slot }) =>
    columns.filter((column) => !absent.get(slot)?.has(column)).map((column) => `column ${column} of slot ${slot}`)
  )
  return Option.map(Option.fromNullable(late[0]), (first) => ({
    kind: "incomplete_answer",
    detail: `${first}${late.length > 1 ? ` (and ${late.length - 1} more)` : ""} came only when asked for by root`
  }))
}

const undelivered = (received: Received, due: ReadonlyArray<SlotColumns>): ReadonlyArray<SlotColumns> => {
  const came = new Set(received.delivered.map(({ column, slot }) => `${slot}/${column}`))
  return due.map(({ columns, slot }) => ({ slot, columns: columns.filter((column) => !came.has(`${slot}/${column}`)) }))
}

const failAll = (
  blocks: Blocks,
  entries: ReadonlyArray<SlotColumns>,
  error: (slot: number, column: number) => Option.Option<ProbeError>
): ReadonlyArray<Finished> =>
  entries.flatMap(({ columns, slot }) => {
    const block = blocks.get(slot)
    return block === undefined ? [] : columns.map((column) => ({ block, column, error: error(slot, column) }))
  })

const identifiers = (blocks: Blocks, entries: ReadonlyArray<SlotColumns>) =>
  entries.flatMap(({ columns, slot }) => {
    const block = blocks.get(slot)
    return block === undefined ? [] : [{ blockRoot: block.root, columns }]
  })

const excuseOverload = (entry: Finished, worstLagMs: number): Finished =>
  worstLagMs >= overloadLagMs && Option.exists(entry.error, (error) => error._tag === "ProbeTimeout")
    ? {
        ...entry,
        error: Option.some(overloaded(worstLagMs))
      }
    : entry

const isRetracted = ({ error }: Finished): boolean =>
  Option.exists(error, (error) => error._tag === "Unverifiable" && error.reason === "claim_changed")
