import { Option } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { countSuspicions } from "../../domain/peer/Suspicions.ts"
import { countOutcomes } from "../../domain/probe/Outcome.ts"
import { type PeerState, verdict } from "../../peers/PeerState.ts"
import { cellsOf, countUntested } from "./Cells.ts"
import { claimChecks } from "./Checks.ts"
import { describeFailure, type ScanFailure } from "./ScanFailure.ts"
import type { ScanLog } from "./ScanLog.ts"
import type { Cell, ScanReport } from "../../domain/scan/ScanReport.ts"
import type { ScanVerdict } from "../../domain/scan/ScanVerdict.ts"
import { sentenceOf } from "./Sentence.ts"

/** Everything that was found out, as it stands at `now` (Unix milliseconds). */
export const makeReport = (chain: ChainParameters, log: ScanLog, state: PeerState, now: number): ScanReport => {
  const claim = Option.map(state.claims, ({ current }) => current)
  const probes = log.results.map(({ probe }) => probe)
  const cells = cellsOf(probes, state.claims)
  const owed = cells.filter((cell) => cell.owed)
  const statement = Option.getOrUndefined(log.statement)
  const reached = statement !== undefined
  const facts = {
    verdict: scanVerdict(log.failure, state, reached, owed),
    failure: log.failure,
    checks: claimChecks(chain, log, claim, now),
    kind: log.target.kind,
    cells: owed,
    slots: log.slots.length,
    untested: countUntested(cells, state.claims, log.slots, log.columns, chain.slotsPerEpoch),
    suspected: [...state.suspicions.values()]
  }
  return {
    target: log.target.given,
    peerId: state.address.peerId,
    nodeId: Option.getOrNull(Option.map(state.nodeId, toHex)),
    network: chain.network,
    addresses: log.addresses,
    addressesFrom: log.addressesFrom,
    enr: recordOf(log),
    startedAt: log.startedAt,
    finishedAt: now,
    reached,
    verdict: facts.verdict,
    sentence: sentenceOf(facts),
    failure: Option.getOrNull(Option.map(log.failure, describeFailure)),
    connection: Option.getOrNull(
      Option.map(log.connection, ({ dialMs, peer, protocols }) => ({
        address: peer.address,
        agent: Option.getOrNull(peer.agent),
        dialMs,
        protocols
      }))
    ),
    status:
      statement === undefined
        ? null
        : {
            forkDigest: statement.forkDigest,
            headSlot: statement.headSlot,
            headRoot: statement.headRoot ?? null,
            finalizedEpoch: statement.finalized?.epoch ?? null,
            finalizedRoot: statement.finalized?.root ?? null,
            earliestAvailableSlot: statement.earliestAvailableSlot ?? null,
            ours: log.ours,
            finality: Option.getOrNull(Option.map(log.finality, ({ agreement }) => agreement))
          },
    metadata:
      statement === undefined
        ? null
        : {
            sequenceNumber: statement.sequenceNumber ?? null,
            custodyGroupCount: statement.metadataCount ?? null,
            subnets: statement.subnets ?? null
          },
    claim: Option.getOrNull(claim),
    checks: facts.checks,
    pings: log.pings,
    subscribedColumns: Option.getOrNull(log.subscribed),
    range: Option.getOrNull(log.range),
    slots: log.slots,
    columns: log.columns,
    passedOver: log.passedOver,
    cells,
    outcomes: countOutcomes(owed),
    untested: facts.untested,
    conversations: state.conversations,
    suspected: facts.suspected,
    findings: probes.flatMap(({ findings }) => findings),
    probes,
    notes: log.notes
  }
}

/**
 * What is open keeps a peer from being called compliant, and is no accusation. So does it when nothing came that it owes:
 * one that is just growing may deliver what it does not answer for yet, and that says nothing of the rest.
 */
const scanVerdict = (
  failure: Option.Option<ScanFailure>,
  state: PeerState,
  reached: boolean,
  owed: ReadonlyArray<Cell>
): ScanVerdict => {
  if (!reached && Option.isSome(failure)) return unreachedVerdict(failure.value)
  if (Option.exists(failure, ({ _tag }) => _tag === "OtherNetwork")) return "refusing"
  const own = verdict(state)
  if (own !== "compliant" && own !== "unknown") return own
  if (countSuspicions(state.suspicions) > 0) return "suspected"
  return owed.some(({ outcome }) => outcome === "success") ? own : "unknown"
}

const unreachedVerdict = (failure: ScanFailure): ScanVerdict => {
  switch (failure._tag) {
    case "NotFound":
      return "unreachable"
    case "NotReached":
    case "NoHandshake":
      switch (failure.error._tag) {
        case "PeerRefused":
          return "refusing"
        case "NotDialled":
        case "Unverifiable":
          return "unknown"
        default:
          return failure._tag === "NotReached" ? "unreachable" : "unresponsive"
      }
    case "TimeLimit":
      return "unresponsive"
    case "OtherNetwork":
    case "NoNodeId":
    case "NothingToAsk":
    case "Broken":
    case "NoTruth":
    case "Defect":
      return "unknown"
  }
}

const recordOf = ({ record }: ScanLog): ScanReport["enr"] =>
  Option.getOrNull(
    Option.map(record, ({ client, custodyGroupCount, enr, forkDigest, nextForkDigest, seq, subnets }) => ({
      enr,
      sequenceNumber: String(seq),
      custodyGroupCount: Option.getOrNull(custodyGroupCount),
      forkDigest: Option.getOrNull(forkDigest),
      nextForkDigest: Option.getOrNull(nextForkDigest),
      client: Option.getOrNull(client),
      subnets: Option.getOrNull(subnets)
    }))
  )
