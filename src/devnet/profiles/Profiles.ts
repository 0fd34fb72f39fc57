import { allWrong, bomb, drip, restless } from "./Burdening.ts"
import { badInclusion, corruptCell, wrongBlock, wrongCommitments } from "./Corrupting.ts"
import { duplicate, garbage, oversize, unordered, unrequested } from "./BreakingProtocol.ts"
import { escapeHangup, escapeRoot, escapeStatus, movingClaim } from "./Escaping.ts"
import { asksMuch, gossipBan } from "./strict/Demanding.ts"
import { badGossip, gossipOnly, lateGossip } from "./Gossiping.ts"
import { growing } from "./Growing.ts"
import { flap, fresh, honest, supernode, truncate } from "./Honest.ts"
import {
  likeCaplin,
  likeGrandine,
  likeLighthouse,
  likeLodestar,
  likeNimbus,
  likePrysm,
  likeTeku
} from "./strict/LikeClients.ts"
import { archiveEdge, lateColumns, onDemand } from "./LateColumns.ts"
import { anchor, backfilling, syncing } from "./PartialHistory.ts"
import type { Profile } from "./Profile.ts"
import { throttle, wrongNetwork } from "./Refusing.ts"
import { orphanServer, restarting, starting } from "./Restarting.ts"
import { servesOne } from "./ServingOne.ts"
import { strikes } from "./strict/Striking.ts"
import { bareCodes, brokenFile, otherContext } from "./Stumbling.ts"
import { reset, silent, stall } from "./Unresponsive.ts"
import { unwelcoming } from "./strict/Unwelcoming.ts"
import { half, withheldBlock } from "./Unpublished.ts"
import { overclaim, prune, unavailable, withhold } from "./Withholding.ts"

/** Honest peers that are hard on their guests: they ban whoever is not as their client's own code wants it. */
const strictProfiles = {
  "gossip-ban": gossipBan,
  "asks-much": asksMuch,
  strikes,
  unwelcoming,
  "like-prysm": likePrysm,
  "like-lighthouse": likeLighthouse,
  "like-lodestar": likeLodestar,
  "like-teku": likeTeku,
  "like-nimbus": likeNimbus,
  "like-grandine": likeGrandine,
  "like-caplin": likeCaplin
} satisfies Readonly<Record<string, Profile>>

/** Peers that do what an honest client may do: nothing of it may ever be blamed. */
const honestProfiles = {
  honest,
  supernode,
  truncate,
  fresh,
  flap,
  anchor,
  backfilling,
  restarting,
  syncing,
  growing,
  "late-columns": lateColumns,
  "orphan-server": orphanServer,
  "other-context": otherContext,
  "bare-codes": bareCodes,
  "broken-file": brokenFile,
  "archive-edge": archiveEdge,
  "on-demand": onDemand,
  starting,
  "withheld-block": withheldBlock,
  half,
  "late-gossip": lateGossip,
  ...strictProfiles
} satisfies Readonly<Record<string, Profile>>

/** Peers that do not keep what they claim, or do not give it as the specification says. */
const dishonestProfiles = {
  withhold,
  prune,
  "corrupt-cell": corruptCell,
  "wrong-commitments": wrongCommitments,
  "wrong-block": wrongBlock,
  "bad-inclusion": badInclusion,
  unavailable,
  silent,
  stall,
  reset,
  throttle,
  "wrong-network": wrongNetwork,
  garbage,
  oversize,
  duplicate,
  unordered,
  unrequested,
  overclaim,
  "escape-status": escapeStatus,
  "escape-root": escapeRoot,
  "escape-hangup": escapeHangup,
  "moving-claim": movingClaim,
  "serves-one": servesOne,
  bomb,
  "all-wrong": allWrong,
  drip,
  restless,
  "gossip-only": gossipOnly,
  "bad-gossip": badGossip
} satisfies Readonly<Record<string, Profile>>

/** Every profile, by the name that the command line gives it. */
export const profiles = { ...honestProfiles, ...dishonestProfiles }

export type ProfileName = keyof typeof profiles

export const isProfileName = (name: string): name is ProfileName => Object.hasOwn(profiles, name)

export const profileNames: ReadonlyArray<ProfileName> = Object.keys(profiles).filter(isProfileName)

/** Whether a peer of this profile does nothing that may be blamed. */
export const isHonest = (name: ProfileName): boolean => Object.hasOwn(honestProfiles, name)

/** Whether a peer of this profile bans whoever is not as its client wants it. */
export const isStrict = (name: ProfileName): boolean => Object.hasOwn(strictProfiles, name)

/** Whether a peer of this profile is as one of the clients is, with that client's own limits. */
export const isLike = (name: ProfileName): boolean => name.startsWith("like-")
