import { Clock, Context, Effect, Layer, Option, Schedule } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import { type ChainParameters, slotStart, tolerableClockMs } from "../domain/network/Chain.ts"
import type { PeerId, Slot } from "../domain/Primitives.ts"
import { printable } from "../domain/Text.ts"
import { Externs } from "../host/Externs.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"

/** What a peer's Status says that can be held against us. */
export interface Voice {
  readonly forkDigest: string
  /** Whether that is the digest that we have at this moment, or about it. */
  readonly isOurs: boolean
  readonly headSlot: Slot
  /** Unix milliseconds. */
  readonly observedAt: number
  /** It came to us by itself: anyone can send any number of those. */
  readonly cameToUs: boolean
}

/**
 * What the peers, taken together, say of ourselves: a digest on which nearly all of them disagree with us is likelier
 * our fault than theirs, and so is a clock that is behind nearly all of their heads. Keeps the doubts `fork_digest` and
 * `clock` by it. Whoever came to us by itself is heard only where there is no one else: a crowd of strangers must not
 * stop the judging.
 */
export class Crowd extends Context.Tag("dasmon/Crowd")<
  Crowd,
  {
    /** Takes in what a peer says. Gives whether its digest, if it is not ours, is likely to be our own fault. */
    readonly hear: (peerId: PeerId, voice: Voice) => Effect.Effect<boolean>
  }
>() {
  static readonly layer = Layer.scoped(
    Crowd,
    Effect.gen(function* () {
      const { chain } = yield* Externs
      const doubts = yield* Doubts
      const dialled = new Map<PeerId, Voice>()
      const strangers = new Map<PeerId, Voice>()
      let aloneSince = Infinity

      const weigh = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        let strange = 0
        let early = 0
        forgetOld(dialled, now)
        forgetOld(strangers, now)
        const voices = dialled.size > 0 ? dialled : strangers
        // Each peer's every refresh comes by here: all are looked at once, and none is copied.
        for (const voice of voices.values()) {
          if (!voice.isOurs) strange++
          if (aheadMs(chain, voice) >= tolerableClockMs) early++
        }
        const isAlone = isNearlyAll(strange, voices.size)
        aloneSince = isAlone ? Math.min(aloneSince, now) : Infinity
        const isSettled = voices.size >= enough || now - aloneSince >= settledMs
        yield* doubts.set(
          "fork_digest",
          isAlone && isSettled ? Option.some(describeDigests([...voices.values()])) : Option.none()
        )
        const isBehind = voices.size >= enough && isNearlyAll(early, voices.size)
        yield* doubts.set("clock", isBehind ? Option.some(describeHeads(early)) : Option.none(), "peers")
        return isAlone
      })
      yield* daemon("weighing of what the peers say of us", weigh, Schedule.spaced(settledMs))
      return Crowd.of({
        hear: (peerId, voice) =>
          Effect.suspend(() => {
            const [own, other] = voice.cameToUs ? [strangers, dialled] : [dialled, strangers]
            other.delete(peerId)
            setNewest(own, peerId, voice, maxVoices)
            return weigh
          })
      })
    })
  )
}

const forgetOld = (voices: Map<PeerId, Voice>, now: number): void => {
  for (const [peerId, { observedAt }] of voices) if (now - observedAt > keptMs) voices.delete(peerId)
}

/** Longer than a peer that could not be used is left alone. */
const keptMs = 15 * 60_000
const maxVoices = 10_000
/** So many peers are a crowd at once; fewer only when nobody else was heard for a while. */
const enough = 3
const settledMs = 30_000

const isNearlyAll = (part: number, all: number): boolean => part > 0 && part >= 0.9 * all

const aheadMs = (chain: ChainParameters, { headSlot, observedAt }: Voice): number =>
  slotStart(chain, headSlot) - observedAt

const describeDigests = (voices: ReadonlyArray<Voice>): string => {
  const strange = voices.filter(({ isOurs }) => !isOurs)
  const digests = [...new Set(strange.map(({ forkDigest }) => printable(forkDigest, 10)))]
  return (
    `${strange.length} of ${voices.length} peers have a fork digest that is not ours (${digests.slice(0, 3).join(", ")}): ` +
    "the beacon node gives the network's parameters wrong, or is of another network than the peers, or a clock is wrong; " +
    "nobody is judged or sent away meanwhile"
  )
}

const describeHeads = (early: number): string =>
  `the heads of ${early} peers are in the future of this machine's clock: set it (NTP), unless the beacon node says the ` +
  "genesis or the slot duration wrong"
