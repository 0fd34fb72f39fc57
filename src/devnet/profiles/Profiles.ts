import { badInclusion, corruptCell, wrongBlock, wrongCommitments } from "./Corrupting.ts"
import { duplicate, garbage, oversize, unordered, unrequested } from "./BreakingProtocol.ts"
import { flap, fresh, honest, supernode, truncate } from "./Honest.ts"
import type { Profile } from "./Profile.ts"
import { throttle, wrongNetwork } from "./Refusing.ts"
import { reset, silent, stall } from "./Unresponsive.ts"
import { overclaim, prune, unavailable, withhold } from "./Withholding.ts"

/** Every profile, by the name that the command line gives it. */
export const profiles = {
  honest,
  supernode,
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
  truncate,
  fresh,
  flap,
  overclaim
} satisfies Readonly<Record<string, Profile>>

export type ProfileName = keyof typeof profiles

export const isProfileName = (name: string): name is ProfileName => Object.hasOwn(profiles, name)

export const profileNames: ReadonlyArray<ProfileName> = Object.keys(profiles).filter(isProfileName)
