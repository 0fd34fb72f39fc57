import { slotAt } from "../../../src/domain/network/Chain.ts"
import { PeerDisconnected, PeerRefused, ProbeTimeout } from "../../../src/domain/probe/Outcome.ts"
import { goodbyeCodes, goodbyeRefusal, refusalOf, resultCodes } from "../../../src/wire/Refusal.ts"
import { between, chance, inPhase, pick } from "./Chance.ts"
import type { MakeConduct, Reply } from "./Conduct.ts"

const seconds = 1000
const minutes = 60 * seconds

/** The first `part` of an answer, then this instead of the rest. */
const cut = (reply: Reply, part: number, end: Omit<Reply, "sent" | "waitMs">, waitMs = reply.waitMs): Reply => ({
  ...end,
  sent: reply.sent.slice(0, Math.floor(part * reply.sent.length)),
  waitMs
})

/** Turns us away now and then, each client in its way. */
const throttle: MakeConduct = ({ family, seed }) => ({
  name: "throttle",
  answers: (reply, { at }) => {
    if (chance(seed, at, 31) >= 0.12) return reply
    switch (family) {
      case "Prysm":
        return cut(reply, 0, { error: refusalOf(resultCodes.invalidRequest, "rate limited") })
      case "teku":
        return cut(reply, 0, {
          error: refusalOf(resultCodes.invalidRequest, "Peer has been rate limited"),
          hangsUp: goodbyeCodes.rateLimited
        })
      case "nimbus":
        return cut(reply, chance(seed, at, 32), { error: new ProbeTimeout({ stage: "body", afterMs: 10_000 }) }, 10_000)
      case "Grandine":
        return cut(reply, 0, {
          error: goodbyeRefusal(goodbyeCodes.tooManyPeers),
          hangsUp: goodbyeCodes.tooManyPeers
        })
      default:
        return cut(reply, 0, { error: refusalOf(resultCodes.rateLimited, "") })
    }
  }
})

/** Ends every answer after some whole blocks, which is legal. */
const truncate: MakeConduct = ({ seed }) => ({
  name: "truncate",
  answers: (reply, { at, via }) => {
    if (via === "root" || reply.error !== undefined) return reply
    const all = [...new Set(reply.sent.map(({ block }) => block.slot))]
    const slots = new Set(all.slice(0, between(1, 9, chance(seed, at, 33))))
    return { ...reply, sent: reply.sent.filter(({ block }) => slots.has(block.slot)) }
  }
})

/** Comes and goes, also in the middle of an answer. */
const flap: MakeConduct = ({ seed }) => ({
  name: "flap",
  isAway: (at) =>
    inPhase(seed + 34, at, 15 * minutes, 2 * minutes)
      ? new PeerDisconnected({ stage: "dial", detail: "connection refused" })
      : undefined,
  answers: (reply, { at }) =>
    chance(seed, at, 35) < 0.05
      ? cut(reply, chance(seed, at, 36), {
          error: new PeerDisconnected({ stage: "body", detail: "stream reset" }),
          hangsUp: "no goodbye"
        })
      : reply
})

/** Falls silent under load, before an answer or in it. */
const stall: MakeConduct = ({ seed }) => ({
  name: "stall",
  answers: (reply, { at }) => {
    if (chance(seed, at, 37) >= (inPhase(seed + 38, at, 30 * minutes, 8 * minutes) ? 0.8 : 0.05)) return reply
    const isBody = chance(seed, at, 39) < 0.6 && reply.sent.length > 1
    const error = new ProbeTimeout({ stage: isBody ? "body" : "firstChunk", afterMs: isBody ? 10_000 : 5_000 })
    return cut(reply, isBody ? chance(seed, at, 40) : 0, { error }, error.afterMs)
  }
})

/** Writes the digest of the running epoch, and not of the sidecar's slot, as context bytes. */
const otherContext: MakeConduct = ({ chain }) => ({
  name: "other-context",
  answers: (reply, { at }) => ({
    ...reply,
    sent: reply.sent.map((sent) => ({ ...sent, contextOf: slotAt(chain.parameters, at) }))
  })
})

/** Result codes without a message, before an answer or in it. */
const bareCodes: MakeConduct = ({ seed }) => ({
  name: "bare-codes",
  answers: (reply, { at }) =>
    chance(seed, at, 41) < 0.1
      ? cut(reply, chance(seed, at, 42), {
          error: refusalOf(
            pick([resultCodes.invalidRequest, resultCodes.serverError, resultCodes.rateLimited], chance(seed, at, 43)),
            ""
          )
        })
      : reply
})

/** Answers everything with a server error, for minutes. */
const serverTrouble: MakeConduct = ({ seed }) => ({
  name: "server-trouble",
  answers: (reply, { at }) =>
    inPhase(seed + 44, at, 120 * minutes, 6 * minutes)
      ? cut(reply, 0, { error: refusalOf(resultCodes.serverError, "internal service error") })
      : reply
})

/** Listens before its handlers are registered. */
const starting: MakeConduct = ({ seed, startedAt }) => {
  const readyAt = startedAt + between(10, 60, chance(seed, 45)) * seconds
  const error = new PeerRefused({ reason: "unsupported_protocol", detail: "protocol selection failed" })
  return {
    name: "starting",
    said: (said, at) => (at < readyAt ? error : said),
    answers: (reply, { at }) => (at < readyAt ? cut(reply, 0, { error }) : reply)
  }
}

/** Three slots whose file is broken: the good chunks up to there, then code 2, at every try. */
const brokenFile: MakeConduct = ({ chain, firstSlot, seed, startedAt }) => {
  const last = slotAt(chain.parameters, startedAt) - 128
  const broken = new Set([46, 47, 48].map((salt) => between(firstSlot + 256, last, chance(seed, salt))))
  return {
    name: "broken-file",
    answers: (reply) => {
      const at = reply.sent.findIndex(({ block }) => broken.has(block.slot))
      return at < 0 || reply.error !== undefined
        ? reply
        : {
            ...reply,
            sent: reply.sent.slice(0, at),
            error: refusalOf(resultCodes.serverError, "internal service error")
          }
    }
  }
}

export const honestAnswers: ReadonlyArray<MakeConduct> = [
  throttle,
  truncate,
  flap,
  stall,
  otherContext,
  bareCodes,
  serverTrouble,
  starting
]

/** Its slots really are not served: it is counted apart. */
export const brokenFiles: ReadonlyArray<MakeConduct> = [brokenFile]
