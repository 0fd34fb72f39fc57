import { badInclusion } from "./BadInclusion.ts"
import { corruptCell } from "./CorruptCell.ts"
import { duplicate } from "./Duplicate.ts"
import { flap } from "./Flap.ts"
import { fresh } from "./Fresh.ts"
import { garbage } from "./Garbage.ts"
import { honest } from "./Honest.ts"
import { overclaim } from "./Overclaim.ts"
import { oversize } from "./Oversize.ts"
import type { Profile } from "./Profile.ts"
import { prune } from "./Prune.ts"
import { reset } from "./Reset.ts"
import { silent } from "./Silent.ts"
import { stall } from "./Stall.ts"
import { supernode } from "./Supernode.ts"
import { throttle } from "./Throttle.ts"
import { truncate } from "./Truncate.ts"
import { unavailable } from "./Unavailable.ts"
import { unordered } from "./Unordered.ts"
import { unrequested } from "./Unrequested.ts"
import { withhold } from "./Withhold.ts"
import { wrongBlock } from "./WrongBlock.ts"
import { wrongCommitments } from "./WrongCommitments.ts"
import { wrongNetwork } from "./WrongNetwork.ts"

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
