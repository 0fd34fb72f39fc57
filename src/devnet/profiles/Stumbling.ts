import { Effect } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { encodeErrorChunk } from "../../wire/Codec.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { encodeFrames } from "../../wire/SnappyFrames.ts"
import { encodeVarint } from "../../wire/Varint.ts"
import { hasSidecars } from "../chain/DevBlock.ts"
import { sendAll } from "./HonestConduct.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Honest, as Nimbus is: the context bytes of a sidecar are the digest of the running epoch, and not of its slot. */
export const otherContext: Profile = {
  ...honest,
  depart: (_, { chain }) =>
    Effect.succeed({ context: (_slot, { view }) => forkDigestOfSlot(chain.parameters, view.slot) })
}

/**
 * Honest, but responds to every third request or so with an error and no more: a bare result code, as Lodestar writes it,
 * one with an empty message, or one with a message longer than the specification allows.
 */
export const bareCodes: Profile = {
  ...honest,
  depart: ({ respond }, { random }) =>
    Effect.succeed({
      respond: (response) =>
        Effect.suspend(() => {
          if (!random.chance(1 / 3)) return respond(response)
          const [code = resultCodes.serverError] = random.shuffled(errorCodes)
          const [chunk = bareCode] = random.shuffled([bareCode, withoutMessage, withLongMessage])
          return response.reply.raw(chunk(code))
        })
    })
}

const errorCodes = [resultCodes.invalidRequest, resultCodes.serverError, resultCodes.rateLimited]

const bareCode = (code: number): Uint8Array => Uint8Array.of(code)
const withoutMessage = (code: number): Uint8Array => encodeErrorChunk(code, "")
const withLongMessage = (code: number): Uint8Array => {
  const message = new TextEncoder().encode("a reason that goes on and on; ".repeat(20))
  return concatBytes([Uint8Array.of(code), encodeVarint(message.length), encodeFrames(message)])
}

/**
 * Honest, as Prysm is whose files of two or three slots are broken: it sends what comes before such a slot, then code 2 for
 * that and the rest, by range and by root, at every try.
 */
export const brokenFile: Profile = {
  ...honest,
  depart: ({ respond }, { chain, random }) =>
    Effect.gen(function* () {
      const { canonical } = yield* chain.state
      const candidates = random.shuffled([...canonical.values()].filter(hasSidecars))
      const broken = new Set(candidates.slice(0, 2 + random.below(2)).map(({ slot }) => slot))
      return {
        respond: (response) => {
          const first = response.items.findIndex(({ block }) => broken.has(block.slot))
          if (first < 0) return respond(response)
          const items = response.items.slice(0, first)
          const error = response.reply.error(resultCodes.serverError, "internal service error")
          return Effect.zipRight(sendAll({ ...response, items }), error)
        }
      }
    })
}
