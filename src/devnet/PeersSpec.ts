import { Either } from "effect"
import { InvalidPeersSpec } from "./InvalidPeersSpec.ts"
import { isProfileName, type ProfileName, profileNames } from "./profiles/Profiles.ts"

/** Which peers a devnet has, in order. */
export type PeersSpec = ReadonlyArray<ProfileName>

/** Peers in one devnet, at most: each is a libp2p node of its own. */
const maxPeers = 200

/** What the demo shows: 30 peers whose verdicts are clear within two minutes. The other profiles are for tests. */
export const defaultPeers: PeersSpec = [
  "honest",
  "supernode",
  "supernode",
  "withheld-block",
  "late-gossip",
  "bad-gossip",
  "supernode",
  "withhold",
  "prune",
  "corrupt-cell",
  "wrong-commitments",
  "wrong-block",
  "bad-inclusion",
  "unavailable",
  "silent",
  "stall",
  "reset",
  "throttle",
  "wrong-network",
  "garbage",
  "oversize",
  "duplicate",
  "unordered",
  "unrequested",
  "truncate",
  "fresh",
  "flap",
  "overclaim",
  // Of each client one that keeps all columns: three must say of a column that it is not there, within a slot, and not all can
  // be asked so often.
  "supernode",
  "supernode"
]

/** Reads `honest:8,withhold:2,…`; a profile without a number counts once. */
export const parsePeersSpec = (text: string): Either.Either<PeersSpec, InvalidPeersSpec> =>
  Either.gen(function* () {
    const parts = yield* Either.all(text.split(",").map((part) => parsePart(part.trim())))
    const total = parts.reduce((sum, part) => sum + part.count, 0)
    if (total === 0) return yield* invalid("a devnet needs at least one peer")
    if (total > maxPeers) return yield* invalid(`${total} peers are too many, at most ${maxPeers} are allowed`)
    return parts.flatMap(({ count, name }) => Array.from({ length: count }, () => name))
  })

const parsePart = (
  part: string
): Either.Either<{ readonly name: ProfileName; readonly count: number }, InvalidPeersSpec> => {
  const [name = "", count = "1", ...rest] = part.split(":")
  if (!isProfileName(name))
    return invalid(`there is no profile ${JSON.stringify(name)}; there are ${profileNames.join(", ")}`)
  if (rest.length > 0 || !/^[0-9]{1,9}$/.test(count)) {
    return invalid(`${JSON.stringify(part)} is not of the form profile:count, such as honest:8`)
  }
  return Either.right({ name, count: Number(count) })
}

const invalid = (reason: string): Either.Either<never, InvalidPeersSpec> =>
  Either.left(new InvalidPeersSpec({ reason }))
