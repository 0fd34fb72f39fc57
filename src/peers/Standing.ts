import type { PeerHistory } from "../history/store/History.ts"
import { isNearlySame } from "../domain/peer/Score.ts"
import type { PeerState } from "./PeerState.ts"

/** What the history keeps of a peer's suspicions, of how it is asked, and of its score. */
export const standingOf = ({ evasion, restraint, score, suspicions }: PeerState): PeerHistory["standing"] => ({
  suspicions: [...suspicions.values()],
  evasion,
  restraint,
  score
})

/** Whether that is another one; how often it was simply asked changes with every probe, and is not worth a record. */
export const hasOtherStanding = (before: PeerState, after: PeerState): boolean =>
  before.suspicions !== after.suspicions ||
  before.evasion.countedAt !== after.evasion.countedAt ||
  before.evasion.escaped !== after.evasion.escaped ||
  before.evasion.followUps?.countedAt !== after.evasion.followUps?.countedAt ||
  before.restraint !== after.restraint ||
  !isNearlySame(before.score, after.score)
