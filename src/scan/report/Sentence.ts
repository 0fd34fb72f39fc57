import { Option } from "effect"
import { countSuspicions, type SuspectedSlot, suspicionsOf } from "../../domain/peer/Suspicions.ts"
import { blameOf, type OutcomeKind, type RefusedReason } from "../../domain/probe/Outcome.ts"
import { describeFailure, type ScanFailure } from "./ScanFailure.ts"
import { counted } from "../../domain/Text.ts"
import type { Cell, Check } from "../../domain/scan/ScanReport.ts"
import type { ScanVerdict } from "../../domain/scan/ScanVerdict.ts"
import type { Target } from "../target/Target.ts"

/** What a scan came to, as far as the sentence goes by it. */
export interface Findings {
  readonly verdict: ScanVerdict
  readonly failure: Option.Option<ScanFailure>
  readonly checks: ReadonlyArray<Check>
  readonly kind: Target["kind"]
  /** Of what the peer owes. */
  readonly cells: ReadonlyArray<Cell>
  /** Slots that were chosen. */
  readonly slots: number
  readonly untested: number
  readonly suspected: ReadonlyArray<SuspectedSlot>
}

/** What it comes to for who runs the node, and what to do about it: a few plain sentences. */
export const sentenceOf = (found: Findings): string =>
  [main(found), ...oddities(found), ...rest(found)].filter((part) => part !== "").join(" ")

const main = (found: Findings): string => {
  const { cells, failure } = found
  switch (found.verdict) {
    case "compliant":
      return sound(cells) === cells.length
        ? `All is well: all ${counted(cells.length, "column")} asked for in ${counted(slotsOf(cells), "slot")} came and verify. There is nothing to do.`
        : `Nothing speaks against it: ${sound(cells)} of ${counted(cells.length, "column")} asked for came and verify; the others came to no clear end (${others(cells)}), which proves nothing. Scan it again to be sure.`
    case "violating":
      return `This node does not serve what it claims: ${blamed(cells)}.${stillOpen(found)}`
    case "evasive":
      return "This node answers what it has and escapes every question about what it left out: look at its log for requests that it breaks off."
    case "suspected":
      return `Something is open: ${counted(countSuspicions(suspicionsOf(found.suspected)), "column")} of ${counted(found.suspected.length, "slot")} did not come, and this run could not settle whether they are there. That proves nothing yet: scan it again in ten minutes, or with --confirm-after 10m.`
    case "unreachable":
      return unreachable(found)
    case "unresponsive":
      return `This node does not answer: ${failed(failure)}. Is it overloaded, or just starting? Look at its log, and scan it again.`
    case "refusing":
      return refusing(failure)
    case "unknown":
      return unknown(found)
  }
}

const stillOpen = ({ suspected }: Findings): string => {
  const open = countSuspicions(suspicionsOf(suspected))
  return open === 0 ? "" : ` ${counted(open, "column")} more did not come either, and this run could not settle why.`
}

const unreachable = ({ failure, kind }: Findings): string => {
  if (Option.exists(failure, ({ _tag }) => _tag === "NotFound")) {
    return `This node was not found: ${failed(failure)}. Give its ENR or a multiaddr.`
  }
  const hint =
    kind === "enode"
      ? " An enode is usually that of an execution client, which speaks none of this: give the ENR of the beacon node (/eth/v1/node/identity)."
      : ""
  return `This node cannot be reached: ${failed(failure)}. Is it running, are its ports open in the firewall and forwarded by the router (TCP, and UDP for QUIC), and is the address the present one?${hint}`
}

const refusing = (failure: Option.Option<ScanFailure>): string => {
  const why = Option.getOrUndefined(failure)
  if (why?._tag === "OtherNetwork") {
    return `This node is on another network or fork: ${describeFailure(why)}. If the beacon node is the right one, update this node's client; else give the beacon node of its network.`
  }
  const error =
    why?._tag === "NotReached" || why?._tag === "NoHandshake" || why?._tag === "Broken" ? why.error : undefined
  const advice = error?._tag === "PeerRefused" ? ` ${adviceOn[error.reason]}` : ""
  return `This node turns us away: ${failed(failure)}.${advice}`
}

const adviceOn: Readonly<Record<RefusedReason, string>> = {
  rate_limited: "That says nothing of what it stores: scan it again in ten minutes, with fewer --slots.",
  too_many_peers:
    "It has as many peers as it wants: scan it again at another hour, or make this scanner a trusted peer of it.",
  wrong_network:
    "It takes us for a node of another network: is the beacon node of its network, and are both clients up to date?",
  banned: "It has banned this address or identity: wait for some hours.",
  invalid_request: "It found our question wrong: is its client up to date?",
  server_error: "It could not read its own database, or had another trouble of its own: look at its log.",
  unsupported_protocol:
    "It does not serve data columns at all, or has just started: update its client, or scan it again in a few minutes.",
  shutdown: "It is shutting down."
}

const unknown = ({ failure, untested }: Findings): string =>
  Option.match(failure, {
    onSome: (why) => `Nothing can be said of what this node stores: ${describeFailure(why)}.${adviceFor(why)}`,
    onNone: () =>
      untested > 0
        ? "Nothing can be said of what this node stores: none of what was asked for came to a clear end. Scan it again."
        : "Nothing can be said of what this node stores: it owed nothing in the slots that were looked at."
  })

const adviceFor = (why: ScanFailure): string => {
  switch (why._tag) {
    case "NoTruth":
      return " Look after the beacon node that this scan goes by, and scan again."
    case "TimeLimit":
      return " Scan it again with a larger --time-limit."
    case "Defect":
      return " Please report it."
    default:
      return ""
  }
}

/** What is blamed on the peer, by kind, with an example of each and what usually is behind it. */
const blamed = (cells: ReadonlyArray<Cell>): string => {
  const parts = kinds.flatMap(({ advice, kind, what }) => {
    const own = cells.filter(({ outcome }) => outcome === kind)
    const [first] = own
    return first === undefined
      ? []
      : [
          `${own.length} of ${cells.length} columns ${what} (the first: column ${first.column} of slot ${first.slot}); ${advice}`
        ]
  })
  return parts.length > 0 ? parts.join("; ") : `${cells.filter(isBlamed).length} of ${cells.length} columns fail`
}

const kinds: ReadonlyArray<{ readonly kind: OutcomeKind; readonly what: string; readonly advice: string }> = [
  {
    kind: "missing",
    what: "are missing, left out of two conversations by range and by root",
    advice:
      "was its database restored, pruned or synced without its columns? Have it fetch them again, or announce a later earliest available slot"
  },
  {
    kind: "invalid",
    what: "came with data that fails verification",
    advice: "its database is damaged or its client faulty: check the disk, and sync its columns anew"
  },
  {
    kind: "unavailable",
    what: "are answered with ResourceUnavailable, twice, though it claims them",
    advice: "it prunes more than it announces, or still fills its history"
  },
  {
    kind: "malformed",
    what: "came twice in a form that cannot be read",
    advice: "its client, or something between it and us, garbles answers: update the client"
  }
]

/** Beside a verdict that is clear: claims that contradict themselves, and what is not as it should be. */
const oddities = ({ checks, verdict }: Findings): ReadonlyArray<string> => {
  if (verdict === "unreachable" || verdict === "refusing" || verdict === "unknown") return []
  const bad = checks.filter(({ result }) => result === "bad")
  return bad.length === 0 ? [] : [`Besides: ${bad.map(({ detail }) => detail).join("; ")}.`]
}

const rest = ({ failure, slots, untested, verdict }: Findings): ReadonlyArray<string> => {
  const told = verdict !== "compliant" && verdict !== "violating" && verdict !== "suspected"
  if (told || untested === 0) return []
  const why = Option.match(failure, { onNone: () => "", onSome: (why) => `: ${describeFailure(why)}` })
  return [`${counted(untested, "column")} of the ${counted(slots, "slot")} could not be tested${why}.`]
}

const failed = (failure: Option.Option<ScanFailure>): string =>
  Option.match(failure, { onNone: () => "it did not say why", onSome: describeFailure })

const sound = (cells: ReadonlyArray<Cell>): number => cells.filter(({ outcome }) => outcome === "success").length
const slotsOf = (cells: ReadonlyArray<Cell>): number =>
  new Set(cells.filter(({ outcome }) => outcome === "success").map(({ slot }) => slot)).size
const others = (cells: ReadonlyArray<Cell>): string =>
  [...new Set(cells.flatMap(({ outcome }) => (outcome === "success" ? [] : [outcome])))].join(", ")
const isBlamed = ({ outcome }: Cell): boolean => blameOf[outcome] === "peer"
