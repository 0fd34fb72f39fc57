import { Duration, Option } from "effect"
import { makeCombinations } from "../domain/column/Combinations.ts"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import { type Block, hasColumns, type SlotFacts } from "../domain/network/Block.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import type { Conversation } from "../domain/peer/Verdict.ts"
import { type ProbeError, ProbeTimeout, type RequestError } from "../domain/probe/Outcome.ts"
import { type Cut, probeTime } from "./ProbeTurn.ts"
import type { Received } from "./RequestColumns.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** What was said in one probe, before anything of what came is verified. */
export interface Collected {
  readonly received: ReadonlyArray<Received>
  /** What did not come. What a request did not reach is in neither: it stays untested. */
  readonly failed: ReadonlyArray<Finished>
  readonly findings: ReadonlyArray<Finding>
  /** How it went as a conversation. */
  readonly conversation: Conversation
  /** The error that ended it. */
  readonly error: Option.Option<RequestError>
  /** Why we ended it before everything was asked, or answered. */
  readonly cut: Option.Option<Cut>
}

/** Blocks with columns, by slot. */
export type Blocks = ReadonlyMap<number, Block>

export const dueBlocks = (facts: ReadonlyArray<SlotFacts>): Blocks =>
  new Map(
    facts.flatMap((fact): ReadonlyArray<readonly [number, Block]> =>
      fact._tag === "Block" && hasColumns(fact.block) ? [[fact.block.slot, fact.block]] : []
    )
  )

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

/** What a peer that we waited for until the time of the probe was over comes to. */
export const tookTooLong = new ProbeTimeout({ stage: "body", afterMs: Duration.toMillis(probeTime) })

/** Of what is due, what one request did not bring; slots of which everything came are left out. */
export const undelivered = (received: Received, due: ReadonlyArray<SlotColumns>): ReadonlyArray<SlotColumns> => {
  const came = makeCombinations()
  for (const { column, slot } of received.delivered) came.add(slot, column)
  return due
    .map(({ columns, slot }) => ({ slot, columns: columns.filter((column) => !came.has(slot, column)) }))
    .filter(({ columns }) => columns.length > 0)
}

/** Every combination of the entries with the error that it comes to. */
export const failAll = (
  blocks: Blocks,
  entries: ReadonlyArray<SlotColumns>,
  error: (slot: number, column: number) => ProbeError
): ReadonlyArray<Finished> =>
  entries.flatMap(({ columns, slot }) => {
    const block = blocks.get(slot)
    return block === undefined
      ? []
      : columns.map((column) => ({ block, column, error: Option.some(error(slot, column)) }))
  })

export const identifiers = (blocks: Blocks, entries: ReadonlyArray<SlotColumns>) =>
  entries.flatMap(({ columns, slot }) => {
    const block = blocks.get(slot)
    return block === undefined ? [] : [{ blockRoot: block.root, columns }]
  })
