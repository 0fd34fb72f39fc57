import { Effect, Either } from "effect"
import { equalBytes, fromHex, toHex } from "../domain/Bytes.ts"
import type { BlobParameters } from "../domain/network/Chain.ts"
import { computeForkDigest } from "../domain/network/ForkDigest.ts"
import { peekSidecar } from "../domain/column/Sidecar.ts"
import { commitmentsOf, inclusionProofHolds } from "../domain/column/SidecarCheck.ts"
import { type FuluView, type SidecarView, viewSidecar } from "../domain/column/SidecarView.ts"
import { headerRoot } from "../domain/network/HeaderRoot.ts"
import type { Kzg } from "../kzg/Kzg.ts"
import { verifySidecars } from "../kzg/VerifySidecars.ts"
import type { Asked, Evidence } from "./Evidence.ts"

/** One thing that was computed again, as a sentence. */
export interface Step {
  readonly holds: boolean
  readonly text: string
}

/** What a third party can know from a piece of evidence. */
export interface Examination {
  /** Whether the accusation holds: every step does. */
  readonly holds: boolean
  readonly steps: ReadonlyArray<Step>
  /** What no computation over the evidence can show, and how to find out where that is possible. */
  readonly believed: ReadonlyArray<string>
}

/**
 * Judges the chunk again as the monitor did, by nothing but the evidence, and looks whether the parts of the evidence
 * fit each other. Never fails: what cannot be judged does not hold.
 */
export const examine = Effect.fn("Evidence.examine")(function* (kzg: Kzg, evidence: Evidence) {
  const steps = [askedStep(evidence), contextStep(evidence), labelStep(evidence)]
  const { block, chunk } = evidence
  const sidecar = Either.getOrUndefined(viewSidecar(block.fork, chunk.ssz))
  if (sidecar?._tag === "Fulu") steps.push(...fuluSteps(evidence, sidecar))
  steps.push(yield* verdictStep(kzg, evidence))
  const examination: Examination = {
    holds: steps.every(({ holds }) => holds),
    steps,
    believed: believed(evidence, sidecar)
  }
  return examination
})

const askedStep = ({ accusation: { column }, block, request: { asked, protocol } }: Evidence): Step => {
  const holds = asksFor(asked, block, column)
  const what = `slot ${block.slot}, column ${column}`
  return holds
    ? { holds, text: `the request asked for ${what} (${protocol}: ${describeAsked(asked)})` }
    : { holds, text: `the request did not ask for ${what} (${describeAsked(asked)})` }
}

const asksFor = (asked: Asked, { root, slot }: Evidence["block"], column: number): boolean =>
  asked.by === "range"
    ? slot >= asked.startSlot && slot < asked.startSlot + asked.count && asked.columns.includes(column)
    : asked.blocks.some(({ blockRoot, columns }) => blockRoot === root && columns.includes(column))

const describeAsked = (asked: Asked): string =>
  asked.by === "range"
    ? `slots ${asked.startSlot} to ${asked.startSlot + asked.count - 1}, ${asked.columns.length} columns`
    : `${asked.blocks.length} blocks by their roots`

const contextStep = ({ block, chunk, network }: Evidence): Step => {
  const digestOf = (forkVersion: Uint8Array, blob: BlobParameters | undefined) =>
    toHex(computeForkDigest(network.genesisValidatorsRoot, forkVersion, blob))
  const digest = digestOf(network.forkVersion, {
    epoch: network.blobLimitEpoch ?? Infinity,
    maxBlobsPerBlock: block.maxBlobsPerBlock
  })
  const what = `${network.name}, ${block.fork}, at most ${block.maxBlobsPerBlock} blobs`
  const { context, contextOf, resultCode } = chunk
  if (resultCode === 0 && context === digest) {
    return { holds: true, text: `its context bytes ${digest} are the fork digest of ${what}` }
  }
  if (resultCode === 0 && contextOf !== null) {
    const { blobLimit, forkVersion } = contextOf
    const other = blobLimit === null ? undefined : { ...blobLimit, epoch: blobLimit.epoch ?? Infinity }
    if (context === digestOf(forkVersion, other)) {
      const text = `its context bytes ${context} are another fork digest of ${network.name}, not ${digest} (${what})`
      return { holds: true, text }
    }
  }
  return { holds: false, text: `result code ${resultCode}, context bytes ${context}: not 0 and ${digest} (${what})` }
}

const labelStep = ({ accusation: { column }, block, chunk }: Evidence): Step =>
  Either.match(peekSidecar(block.fork, chunk.ssz), {
    onLeft: (error) => ({ holds: false, text: `the chunk is ${error.message}` }),
    onRight: ({ index, slot }) => ({
      holds: slot === block.slot && index === column,
      text: `the chunk says that it is column ${index} of slot ${slot}`
    })
  })

/** What a Fulu sidecar shows of the block by itself, whatever the evidence says of it. */
const fuluSteps = ({ accusation, block }: Evidence, sidecar: FuluView): ReadonlyArray<Step> => {
  const root = toHex(headerRoot(sidecar.header))
  if (root !== block.root) {
    const holds = accusation.check === "header" || accusation.check === "structure"
    return [{ holds, text: `its header has the root ${root}, the block has ${block.root}` }]
  }
  const header = { holds: true, text: `its header has the root ${root}: that of the block` }
  if (!inclusionProofHolds(sidecar)) {
    const holds = accusation.check !== "header" && accusation.check !== "kzg_proof"
    return [header, { holds, text: "its inclusion proof does not lead to that header: the root alone shows it" }]
  }
  const own = commitmentsOf(sidecar)
  const same =
    own.length === block.commitments.length &&
    block.commitments.every((commitment, row) => equalBytes(commitment, own[row] ?? new Uint8Array(0)))
  const commitments = same
    ? `its ${own.length} commitments are the block's: the root and their inclusion proof show it`
    : "its inclusion proof shows that the block has other commitments than the evidence says"
  return [header, { holds: same, text: commitments }]
}

const verdictStep = (kzg: Kzg, { accusation, block, chunk }: Evidence): Effect.Effect<Step> =>
  verifySidecars(kzg, [
    {
      fork: block.fork,
      ssz: chunk.ssz,
      blockRoot: fromHex(block.root),
      slot: block.slot,
      commitments: block.commitments,
      maxBlobsPerBlock: block.maxBlobsPerBlock
    }
  ]).pipe(
    Effect.map(([verdict]) => {
      if (verdict?._tag !== "Invalid") return { holds: false, text: "the sidecar passes every check" }
      const holds = verdict.check === accusation.check
      const not = holds ? "" : `, not ${accusation.check}`
      return { holds, text: `it fails the check ${verdict.check}${not}: ${verdict.detail}` }
    }),
    Effect.catchAll((error) => Effect.succeed({ holds: false, text: `it cannot be judged: ${error.reason}` }))
  )

const believed = (
  { accusation, block, chunk, network, peer }: Evidence,
  sidecar: SidecarView | undefined
): ReadonlyArray<string> => {
  const of = `slot ${block.slot} of ${network.name}`
  const other = sidecar === undefined ? undefined : blockRootOf(sidecar)
  return [
    `that the block of ${of} has the root ${block.root}: compare it with a node of your own ` +
      `(GET /eth/v1/beacon/headers/${block.slot})`,
    ...(chunk.contextOf === null
      ? []
      : [
          `that a block of ${of} has at most ${block.maxBlobsPerBlock} blobs: the context bytes are those of other slots, ` +
            `and do not show it`
        ]),
    ...(sidecar?._tag === "Gloas"
      ? [
          `that this block commits to these ${block.commitments.length} blobs: a Gloas sidecar does not show it, a node does`
        ]
      : []),
    ...(accusation.check === "header" && other !== undefined && other !== block.root
      ? [`that block ${other} was not the canonical one of its slot for a while: after a reorg it is nobody's fault`]
      : []),
    `that ${peer.peerId} sent it, and when: libp2p signs nothing that proves the sender to others`
  ]
}

const blockRootOf = (sidecar: SidecarView): string =>
  toHex(sidecar._tag === "Fulu" ? headerRoot(sidecar.header) : sidecar.blockRoot)
