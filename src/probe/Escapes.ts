import { Option } from "effect"
import type { Finding } from "../domain/peer/Finding.ts"
import { isBroken } from "../domain/peer/Suspicions.ts"
import type { ProbeError } from "../domain/probe/Outcome.ts"
import { overloadLagMs } from "../runtime/LoopLag.ts"
import type { Asked } from "./Confirm.ts"
import type { Received } from "./RequestColumns.ts"
import { isServerError } from "./Sample.ts"
import type { Settled } from "./Settle.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** Whether questions came to an end, the peer escaped one of them, or something of ours stood in the way. */
export type Settling = "settled" | "escaped" | "ours"

/** Vain attempts after which a server error about one slot is no passing trouble. */
const repeatedAttempts = 2

export const isBrokenAgain = ({ error, suspected }: Asked): boolean =>
  Option.exists(error, isServerError) && suspected.attempts >= repeatedAttempts

export const brokenAgain = ({ suspected }: Asked): Finding => ({
  kind: "repeated_server_error",
  detail: `slot ${suspected.slot} is answered with a server error each time, and other slots are not`
})

/** What a conversation came to that asked again. */
export const settlingOf = (
  questions: ReadonlyArray<Asked>,
  { evaded, finished }: Settled,
  worstLagMs: number
): Settling => {
  if (evaded) return worstLagMs >= overloadLagMs ? "ours" : "escaped"
  const each = questions.map((question): Settling => {
    const own = finished.filter(({ block }) => block.slot === question.block.slot)
    const isWhole = Option.isNone(question.error) || own.length >= question.suspected.columns.length
    if (own.length > 0 && isWhole && !own.some(isOpen)) return "settled"
    return isEscape(question, worstLagMs) ? "escaped" : "ours"
  })
  return each.find((one) => one === "escaped") ?? each.find((one) => one === "settled") ?? "ours"
}

/** What a question by root about what had just been left out came to: where our own timers were late, what looks like a way out may be our own doing. */
export const followUpOf = (
  followUp: "brought" | "escaped",
  last: Received | undefined,
  worstLagMs: number
): Option.Option<Settling> => {
  if (followUp === "brought") return Option.some("settled")
  return isOurs(last?.error ?? Option.none(), worstLagMs) ? Option.none() : Option.some("escaped")
}

/**
 * Whether it may have ended so because we did not listen: an answer waited for us, or the peer gave us up, as after a
 * stop of the whole process.
 */
export const isOurs = (error: Option.Option<ProbeError>, worstLagMs: number): boolean =>
  worstLagMs >= overloadLagMs &&
  Option.exists(error, ({ _tag }) => _tag === "ProbeTimeout" || _tag === "PeerDisconnected")

const isEscape = (question: Asked, worstLagMs: number): boolean =>
  Option.isSome(question.error) && !isOurs(question.error, worstLagMs) && !isPassing(question)

/** What broke once or twice is passing trouble of the peer's, and no way out of a question. */
const isPassing = ({ suspected }: Asked): boolean =>
  suspected.columns.every(({ suspicion }) => isBroken(suspicion)) && suspected.attempts < repeatedAttempts

const isOpen = ({ error }: Finished): boolean => Option.exists(error, ({ _tag }) => unsettled.has(_tag))

const unsettled: ReadonlySet<ProbeError["_tag"]> = new Set([
  "Suspected",
  "ProbeTimeout",
  "PeerDisconnected",
  "PeerRefused"
])
