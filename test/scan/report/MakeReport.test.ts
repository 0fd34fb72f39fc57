import { assert, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { noOutcomes } from "../../../src/domain/probe/Outcome.ts"
import { addConversation, noConversations } from "../../../src/domain/peer/Verdict.ts"
import { newPeer } from "../../../src/peers/PeerState.ts"
import { makeReport } from "../../../src/scan/report/MakeReport.ts"
import { makeScanLog } from "../../../src/scan/report/ScanLog.ts"
import { parseTarget } from "../../../src/scan/target/Target.ts"
import { claimsOf, peer, statement } from "../../probe/FakeWorld.ts"
import { probeOf } from "../../http/FakeDasmon.ts"

const chain = devnetParameters(1, 1000, 0)

/** The report on a peer that owes columns from slot 100 on, and has delivered all that it was asked for of `slot`. */
const reportOf = (slot: number) => {
  const parts = statement(128, 100)
  const log = makeScanLog(Either.getOrThrow(parseTarget(`/ip4/127.0.0.1/tcp/9000/p2p/${peer.peerId}`)), 0)
  log.statement = Option.some({ ...parts, forkDigest: "0x01020304" })
  log.results.push({
    probe: probeOf(peer.peerId, {
      outcomes: [{ slot, column: 3, outcome: "success", blockRoot: "0x00", blobs: 1 }]
    }),
    conversation: "answered",
    settling: Option.none(),
    brought: Option.none(),
    finalUpTo: -1,
    evidence: [],
    statement: Option.none(),
    error: Option.none()
  })
  const state = {
    ...newPeer(peer),
    claims: Option.some(claimsOf(parts)),
    outcomes: { ...noOutcomes, success: 1 },
    conversations: addConversation(noConversations, "answered")
  }
  return makeReport(chain, log, state, 1_000_000)
}

describe("a scan's report", () => {
  it("calls compliant who delivered what it owes", () => {
    assert.strictEqual(reportOf(120).verdict, "compliant")
  })

  it("calls nobody compliant who delivered only what it does not answer for", () => {
    const { sentence, verdict } = reportOf(80)
    assert.deepStrictEqual([verdict, sentence.includes("Nothing can be said")], ["unknown", true], sentence)
  })
})
