import { makeBucket } from "../domain/Bucket.ts"
import type { Claim } from "../domain/peer/Claim.ts"
import type { Finding } from "../domain/peer/Finding.ts"

/** A change of a claim as it is told; see `CustodyUpdate`. */
interface ClaimChange {
  readonly claim: Claim
  /** The claim that was told before. */
  readonly previous: Claim | null
  readonly findings: ReadonlyArray<Finding>
}

/**
 * When changes of one peer's claim are told. One that changes it a few times is told of at once; one that does so at
 * every look is told of every few minutes, with what is odd about all that happened meanwhile, each kind once. All of it
 * counts and is judged by as it is heard: this is only about what listeners and logs are given.
 */
export interface ClaimNews {
  /** Takes what was heard at `now`, Unix milliseconds; gives what is to be told now, which may have waited. */
  readonly hear: (change: ClaimChange, isNews: boolean, now: number) => ClaimChange | undefined
}

export const makeClaimNews = (): ClaimNews => {
  const allowance = makeBucket({ burst: most, perSecond: 1000 / everyMs })
  let waiting: { readonly previous: Claim | null; readonly findings: ReadonlyArray<Finding> } | undefined

  return {
    hear: ({ claim, findings, previous }, isNews, now) => {
      if (isNews) {
        const all = [...(waiting?.findings ?? []), ...findings]
        waiting = {
          previous: waiting === undefined ? previous : waiting.previous,
          findings: [...new Map(all.map((finding) => [finding.kind, finding])).values()]
        }
      }
      if (waiting === undefined || allowance.room(now) < 1) return undefined
      const told = { claim, ...waiting }
      allowance.take(1, now)
      waiting = undefined
      return told
    }
  }
}

/** Changes that are told at once, and what it takes for one more. */
const most = 16
const everyMs = 5 * 60_000
