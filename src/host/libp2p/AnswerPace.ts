import { setNewest } from "../../domain/Bounded.ts"

/** How soon a peer is answered that asks for what we do not have. */
export interface AnswerPace {
  /** Milliseconds to wait before it is answered, for a request that comes at `now` (milliseconds). */
  readonly delay: (peerId: string, now: number) => number
}

/**
 * Whoever asks now and then is answered at once. Some clients ask again as soon as an answer is there and empty, by the
 * hundred: they wait for each answer, longer the more they ask, but never as long as a client waits for a first byte (5
 * seconds). It is forgotten as time goes by.
 */
export const makeAnswerPace = (): AnswerPace => {
  const askers = new Map<string, { readonly asked: number; readonly at: number }>()
  return {
    delay: (peerId, now) => {
      const before = askers.get(peerId) ?? { asked: 0, at: now }
      const forgotten = Math.max(0, now - before.at) / forgetMs
      const asked = Math.min(most, Math.max(0, before.asked - forgotten) + 1)
      setNewest(askers, peerId, { asked, at: now }, mostAskers)
      return asked <= prompt ? 0 : Math.min(longestMs, shortestMs + (asked - prompt) * stepMs)
    }
  }
}

/** Questions that are answered at once, and how long it takes to forget one. */
const prompt = 6
const forgetMs = 5000
/** Questions that are remembered: five minutes of them. */
const most = 60
const shortestMs = 1000
const longestMs = 3000
const stepMs = 100
/** Peers that are remembered; whoever asked last stays. */
const mostAskers = 4096
