import { Either, Option } from "effect"
import { type ChainParameters, epochOf, forkAt, type ForkName } from "../domain/network/Chain.ts"
import { type DigestTable, forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import {
  type MalformedSidecar,
  peekAnySidecar,
  peekSidecar,
  sidecarBytes,
  type SidecarLabel
} from "../domain/column/Sidecar.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import { MalformedResponse } from "../domain/probe/Outcome.ts"
import type { ResponseChunk } from "../wire/Message.ts"

/** What a response is read against. */
export interface Network {
  readonly chain: ChainParameters
  readonly digests: DigestTable
}

/** A sidecar that came; nothing of it is checked yet. */
export interface Delivered {
  readonly slot: number
  readonly column: number
  readonly fork: ForkName
  /** The root of the block that it says it is of. */
  readonly blockRoot: string
  /** The context bytes as they came: `0x` and 8 digits, some fork digest of the network, if not its slot's. */
  readonly context: string
  readonly ssz: Uint8Array
}

export interface Attributed {
  readonly sidecar: Delivered
  readonly wrongContext: Option.Option<Finding>
}

/**
 * Which combination each chunk of a response is for: by its fixed fields alone, read in the form of the fork that its own
 * slot is of. Context bytes of another slot of the network are a finding and no more (Nimbus and older Lodestar write those
 * of the running epoch); others are of another network, or no context bytes at all.
 *
 * Columns of one block repeat its header: what was read of one is remembered for the next.
 */
export const makeAttribution = (
  network: Network
): ((chunk: ResponseChunk) => Either.Either<Attributed, MalformedResponse>) => {
  const { chain, digests } = network
  let last: Remembered | undefined
  return ({ context = "(none)", ssz }) => {
    const entry = digests.get(context)
    if (entry === undefined) return malformed(`context bytes ${context} are no fork digest of this network`)
    const attributed = ({ fork, label: { blockRoot, slot } }: Remembered, column: number): Attributed => {
      const epoch = epochOf(chain, slot)
      const isOwn = (epoch >= entry.firstEpoch && epoch <= entry.lastEpoch) || context === forkDigestOfSlot(chain, slot)
      return {
        sidecar: { slot, column, fork, blockRoot, context, ssz },
        wrongContext: isOwn ? Option.none() : Option.some(wrongContext(chain, context, slot))
      }
    }
    const column = last === undefined ? undefined : columnOfRepeated(last, ssz)
    if (last !== undefined && column !== undefined) return Either.right(attributed(last, column))
    const read = labelOf(chain, ssz)
    if (Either.isLeft(read)) return malformed(read.left.message)
    last = read.right
    return Either.right(attributed(last, last.label.index))
  }
}

/** What was read of a sidecar. */
interface Remembered {
  readonly fork: ForkName
  readonly label: SidecarLabel
  readonly bytes: number
  /** All that was read of it, but for its column. */
  readonly fixed: Uint8Array
}

const labelOf = (chain: ChainParameters, ssz: Uint8Array): Either.Either<Remembered, MalformedSidecar> =>
  Either.flatMap(peekAnySidecar(ssz), (peeked) => {
    const fork = forkAt(chain, epochOf(chain, peeked.slot)).name
    const form: ForkName = offsetOf(ssz) === sidecarBytes("gloas", 0) ? "gloas" : "fulu"
    return Either.map(fork === form ? Either.right(peeked) : peekSidecar(fork, ssz), (label) => ({
      fork,
      label,
      bytes: ssz.length,
      // A copy: the sidecar may be thrown away.
      fixed: ssz.slice(indexBytes, offsetOf(ssz))
    }))
  })

/** The column of a sidecar that is the same as the one remembered, as far as a label is read of it. */
const columnOfRepeated = ({ bytes, fixed }: Remembered, ssz: Uint8Array): number | undefined => {
  if (ssz.length !== bytes) return undefined
  for (let index = 0; index < fixed.length; index++) if (ssz[indexBytes + index] !== fixed[index]) return undefined
  const view = viewOf(ssz)
  const column = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
  return column <= Number.MAX_SAFE_INTEGER ? column : undefined
}

/** The column stands first, as a uint64. */
const indexBytes = 8
/** What stands at fixed places ends where the first list begins: its offset is right behind the column. */
const offsetOf = (ssz: Uint8Array): number => viewOf(ssz).getUint32(indexBytes, true)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const wrongContext = (chain: ChainParameters, context: string, slot: number): Finding => ({
  kind: "wrong_context",
  detail: `context bytes ${context} with a sidecar of slot ${slot}, whose are ${forkDigestOfSlot(chain, slot)}`
})

const malformed = (detail: string) => Either.left(new MalformedResponse({ detail }))
