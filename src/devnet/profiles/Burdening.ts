import { Effect, Ref } from "effect"
import { bytesPerCell, numberOfCustodyGroups } from "../../domain/network/Chain.ts"
import { concatBytes } from "../../domain/Bytes.ts"
import { encodeFrames } from "../../wire/SnappyFrames.ts"
import { encodeVarint } from "../../wire/Varint.ts"
import { encodeSidecar, type Sidecar } from "../chain/DevBlock.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/**
 * Dishonest: every sidecar has 4,096 cells, the most that the type allows: 9 MB each, and half of one as it is sent. Only the
 * number is wrong, in frames with which nothing is wrong.
 */
export const bomb: Profile = {
  ...honest,
  depart: ({ sidecar }) =>
    Effect.sync(() => {
      let template: Template | undefined
      return {
        respond: ({ chunk, items, reply }) =>
          Effect.forEach(
            items,
            (item) =>
              Effect.suspend(() => {
                const sound = sidecar(item)
                template ??= inflated(sound)
                const start = chunk(item).subarray(0, 1 + contextBytes)
                return reply.raw(concatBytes([start, ...bombOf(template, sound)]))
              }),
            { discard: true }
          )
      }
    })
}

const most = 4096
const contextBytes = 4
const frameData = 65_536
/** The identifier that every stream of frames begins with. */
const identifierBytes = 10
/** What of a sidecar is at a fixed place, and in it the offsets of what is not. */
const fixedBytes = 356
const indexBytes = 8
const offsetsEnd = 20

/** A sidecar of 4,096 cells, made once: the others differ from it in the first frame only. */
interface Template {
  readonly length: number
  readonly head: Uint8Array
  readonly frames: Uint8Array
}

const inflated = (sound: Sidecar): Template => {
  const filled = <A>(one: A): Array<A> => Array.from({ length: most }, () => one)
  const ssz = encodeSidecar("fulu", {
    ...sound,
    column: filled(new Uint8Array(bytesPerCell)),
    kzgCommitments: filled(sound.kzgCommitments[0] ?? new Uint8Array(48)),
    kzgProofs: filled(sound.kzgProofs[0] ?? new Uint8Array(48))
  })
  return {
    length: ssz.length,
    head: ssz.slice(0, frameData),
    frames: encodeFrames(ssz.subarray(frameData)).subarray(identifierBytes)
  }
}

const bombOf = ({ frames, head, length }: Template, sound: Sidecar): ReadonlyArray<Uint8Array> => {
  const own = encodeSidecar("fulu", sound)
  const first = head.slice()
  first.set(own.subarray(0, indexBytes))
  first.set(own.subarray(offsetsEnd, fixedBytes), offsetsEnd)
  return [encodeVarint(length), encodeFrames(first), frames]
}

/** Dishonest: a bit is flipped in every cell of every sidecar, so that each of them has to be looked for alone. */
export const allWrong: Profile = {
  ...honest,
  depart: ({ sidecar }) =>
    Effect.succeed({
      sidecar: (item) => {
        const sound = sidecar(item)
        return { ...sound, column: sound.column.map((cell) => cell.with(cell.length - 1, (cell.at(-1) ?? 0) ^ 1)) }
      }
    })
}

/** Dishonest: whoever asks waits nine seconds for each sidecar but the first. They are sound, all of them. */
export const drip: Profile = {
  ...honest,
  depart: () =>
    Effect.succeed({
      respond: ({ chunk, items, reply }) =>
        Effect.forEach(
          items,
          (item, index) =>
            Effect.delay(
              Effect.suspend(() => reply.raw(chunk(item))),
              index === 0 ? 0 : "9 seconds"
            ),
          { discard: true }
        )
    })
}

/**
 * Dishonest: whenever it is asked, it claims something else: other earliest slots, more groups, another sequence number. It
 * keeps everything, and serves whatever it claims.
 */
export const restless: Profile = {
  custodyGroupCount: () => 8,
  // A client that does not refuse what is below its earliest slot.
  client: "prysm",
  depart: (conduct, { chain }) =>
    Effect.gen(function* () {
      const looks = yield* Ref.make(0)
      return {
        claim: Effect.gen(function* () {
          const look = yield* Ref.updateAndGet(looks, (before) => before + 1)
          const { custodyGroupCount, earliestAvailableSlot } = yield* conduct.claim
          return {
            custodyGroupCount: Math.min(numberOfCustodyGroups, custodyGroupCount + Math.floor(look / 4)),
            sequenceNumber: look,
            earliestAvailableSlot: earliestAvailableSlot + (look % chain.parameters.slotsPerEpoch)
          }
        }),
        stored: Effect.succeed(() => true)
      }
    })
}
