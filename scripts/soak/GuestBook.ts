import { Schema } from "effect"
import { PeerAccount } from "../../src/devnet/api/NodeRoutes.ts"
import { isLike, isStrict, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { goodbyeCodes } from "../../src/wire/Refusal.ts"

/** What `GET /devnet/accounts` answers. */
export const GuestBook = Schema.Struct({ data: Schema.Array(PeerAccount) })
export type GuestBook = typeof GuestBook.Type

/**
 * What strict peers hold against their only guest, a sentence each: every ban, every strike (but for the first of a peer whose
 * limits are not its client's own), and
 * every Goodbye but those of a peer that shuts down or is full. And what they should have done and did not, so that
 * nothing is proven by peers that slept.
 */
export const complaintsIn = ({ data }: GuestBook): ReadonlyArray<string> =>
  data.flatMap(({ counts, peerId, profile, sanctions }) => {
    const name = profileNames.find((known) => known === profile)
    if (name === undefined || !isStrict(name)) return []
    const who = `${profile} (${peerId})`
    const strikes = sanctions.filter(({ kind }) => kind === "strike")
    // Nobody who keeps below a client's own limits meets one; of those that were lowered one has to be learned.
    const allowed = isLike(name) ? 0 : 1
    const others = sanctions.filter(({ code, kind }) => kind === "ban" || (kind === "goodbye" && !isHarmless(code)))
    const idle = dutiesOf(name).filter((duties) => duties.every((duty) => (counts[duty] ?? 0) === 0))
    return [
      ...strikes.slice(allowed).map(({ reason }, index) => `${who} gave strike ${allowed + index + 1}: ${reason}`),
      ...others.map(({ code, kind, reason }) => `${who}: ${kind}${code === undefined ? "" : ` ${code}`}: ${reason}`),
      ...idle.map((duties) => `${who} never did this: ${duties.join(" or ")}`)
    ]
  })

const isHarmless = (code: number | undefined): boolean =>
  code === goodbyeCodes.shutdown || code === goodbyeCodes.tooManyPeers

/** What a guest that is kept is sure to see of such a peer, as its account counts it: one of each. */
const dutiesOf = (profile: string): ReadonlyArray<ReadonlyArray<string>> => {
  switch (profile) {
    case "gossip-ban":
      return [["/meshsub/1.2.0", "/meshsub/1.1.0"]]
    case "asks-much":
      return ["blocks", "blobs", "columns"].map((what) => [`answered ${what}`])
    case "like-lighthouse":
    case "like-grandine":
      return [["/meshsub/1.2.0", "/meshsub/1.1.0"], ["examined"]]
    case "like-lodestar":
      return [["examined"], ...["blocks", "blobs", "columns"].map((what) => [`answered ${what}`])]
    case "unwelcoming":
    case "like-prysm":
    case "like-teku":
    case "like-nimbus":
    case "like-caplin":
      return [["examined"]]
    default:
      return []
  }
}
