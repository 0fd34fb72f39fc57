import { PeerDisconnected, PeerRefused, ProbeTimeout } from "../../../src/domain/probe/Outcome.ts"
import { refusalOf, resultCodes } from "../../../src/wire/Refusal.ts"
import type { Reply, Said } from "./Conduct.ts"
import { escaping, type EscapeState, type Liar } from "./Liars.ts"

const seconds = 1000
const minutes = 60 * seconds

const isPressed = ({ pressedAt }: EscapeState, at: number): boolean => at - pressedAt < 5 * seconds

/** Does this instead of answering the question that would settle it. */
const answeringWith = (name: string, instead: (reply: Reply) => Reply): Liar =>
  escaping(name, (_, state) => ({ answers: (reply, { at }) => (isPressed(state, at) ? instead(reply) : reply) }))

/** Says something else of itself once it was asked that question, for half a minute. */
const sayingThen = (name: string, change: (said: Said, state: EscapeState) => Said): Liar =>
  escaping(name, (_, state) => ({
    said: (said, at) => (at - state.pressedAt < 30 * seconds ? change(said, state) : said)
  }))

/** Says something else of itself at all times. */
const sayingAlways = (name: string, change: (said: Said) => Said): Liar =>
  escaping(name, () => ({ said: (said) => change(said) }))

export const escapingLiars: ReadonlyArray<Liar> = [
  escaping("escape-status", (_, state) => ({
    said: (said, at) =>
      isPressed(state, at)
        ? new PeerRefused({ reason: "rate_limited", detail: "code 139", resultCode: resultCodes.rateLimited })
        : said
  })),
  answeringWith("escape-root", (reply) => ({
    sent: [],
    waitMs: reply.waitMs,
    error: refusalOf(resultCodes.serverError, "internal service error")
  })),
  answeringWith("escape-hangup", (reply) => ({
    sent: [],
    waitMs: reply.waitMs,
    error: new PeerDisconnected({ stage: "firstChunk", detail: "connection closed" }),
    hangsUp: "no goodbye"
  })),
  answeringWith("escape-silence", () => ({
    sent: [],
    waitMs: 5 * seconds,
    error: new ProbeTimeout({ stage: "firstChunk", afterMs: 5_000 })
  })),
  answeringWith("escape-refusal", (reply) => ({
    sent: [],
    waitMs: reply.waitMs,
    error: refusalOf(resultCodes.rateLimited, "")
  })),
  sayingThen("moving-claim", (said, { pressedSlot }) => ({ ...said, earliestAvailableSlot: pressedSlot + 64 })),
  sayingThen("moving-head", (said, { pressedSlot }) => ({ ...said, headSlot: pressedSlot - 1 })),
  sayingThen("moving-custody", (said) => ({ ...said, metadataCount: 4 })),
  // Moves as soon as it has left something out, and comes back when it would not be asked any more.
  escaping("moving-early", (_, state) => {
    let until = -Infinity
    let earliest = 0
    return {
      said: (said, at) => {
        if (at >= until && at - state.lackedAt < 60 * seconds) {
          until = at + 15 * minutes
          earliest = Math.min(state.lackedSlot + 64, said.headSlot)
        }
        return at < until && at > until - 15 * minutes + 2 * seconds
          ? { ...said, earliestAvailableSlot: earliest }
          : said
      }
    }
  }),
  // A Status that names none says epoch 0.
  sayingAlways("finality-withheld", (said) => ({ ...said, finalized: { epoch: 0, root: `0x${"00".repeat(32)}` } })),
  // Its head is fresh, and what is final to it stays where it was hours ago.
  escaping("finality-old", ({ chain, startedAt }) => ({
    said: (said) => ({ ...said, finalized: chain.finalizedAt(startedAt - 2 * 3600 * seconds) })
  })),
  sayingAlways("foreign-checkpoint", (said) => ({
    ...said,
    ...(said.finalized === undefined
      ? {}
      : { finalized: { epoch: said.finalized.epoch, root: `0x${"ee".repeat(32)}` } })
  }))
]
