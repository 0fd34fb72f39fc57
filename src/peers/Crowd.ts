import { Clock, Context, Effect, Layer, Option, Schedule } from "effect"
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
      const dialled = makeVoices(chain)
      const strangers = makeVoices(chain)
      let aloneSince = Infinity

      const weigh = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        dialled.forgetOld(now)
        strangers.forgetOld(now)
        const voices = dialled.counts().all > 0 ? dialled : strangers
        const { all, early, strange } = voices.counts()
        const isAlone = isNearlyAll(strange, all)
        aloneSince = isAlone ? Math.min(aloneSince, now) : Infinity
        const isSettled = all >= enough || now - aloneSince >= settledMs
        yield* doubts.set(
          "fork_digest",
          isAlone && isSettled ? Option.some(describeDigests(voices.list())) : Option.none()
        )
        const isBehind = all >= enough && isNearlyAll(early, all)
        yield* doubts.set("clock", isBehind ? Option.some(describeHeads(early)) : Option.none(), "peers")
        return isAlone
      })
      yield* daemon("weighing of what the peers say of us", weigh, Schedule.spaced(settledMs))
      return Crowd.of({
        hear: (peerId, voice) =>
          Effect.suspend(() => {
            const [own, other] = voice.cameToUs ? [strangers, dialled] : [dialled, strangers]
            other.drop(peerId)
            own.hear(peerId, voice)
            return weigh
          })
      })
    })
  )
}

/** The last word of each peer, counted as it comes: each refresh of each peer comes by here, and must not look at all. */
const makeVoices = (chain: ChainParameters) => {
  /** Who was heard last stands last. */
  const voices = new Map<PeerId, Voice>()
  let strange = 0
  let early = 0
  const count = (voice: Voice, sign: 1 | -1): void => {
    if (!voice.isOurs) strange += sign
    if (aheadMs(chain, voice) >= tolerableClockMs) early += sign
  }
  const drop = (peerId: PeerId): void => {
    const voice = voices.get(peerId)
    if (voice === undefined) return
    voices.delete(peerId)
    count(voice, -1)
  }
  return {
    hear: (peerId: PeerId, voice: Voice): void => {
      drop(peerId)
      voices.set(peerId, voice)
      count(voice, 1)
      for (const oldest of voices.keys()) {
        if (voices.size <= maxVoices) break
        drop(oldest)
      }
    },
    drop,
    forgetOld: (now: number): void => {
      for (const [peerId, { observedAt }] of voices) {
        if (now - observedAt <= keptMs) break
        drop(peerId)
      }
    },
    counts: () => ({ all: voices.size, strange, early }),
    list: (): ReadonlyArray<Voice> => [...voices.values()]
  }
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
