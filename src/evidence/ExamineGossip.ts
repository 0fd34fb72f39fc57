import { Effect, Either, Option } from "effect"
import { sha256 } from "@noble/hashes/sha2.js"
import { holds, isPoint } from "../bls/Bls.ts"
import { concatBytes, equalBytes, fromHex, toHex } from "../domain/Bytes.ts"
import { headerSignature, peekSidecar } from "../domain/column/Sidecar.ts"
import { checkStructure, commitmentsOf, inclusionProofHolds } from "../domain/column/SidecarCheck.ts"
import { type SidecarView, viewSidecar } from "../domain/column/SidecarView.ts"
import { numberOfColumns } from "../domain/network/Chain.ts"
import { parseColumnTopic } from "../domain/network/ColumnTopic.ts"
import { proposerDomain } from "../domain/network/SigningRoot.ts"
import type { Kzg } from "../kzg/Kzg.ts"
import { verifySidecars } from "../kzg/VerifySidecars.ts"
import { hexMessageId } from "../wire/gossip/MessageId.ts"
import type { Examination, Step } from "./Examine.ts"
import type { GossipEvidence } from "./GossipEvidence.ts"

/** Judges a message of gossip again, by nothing but the evidence. Never fails: what cannot be judged does not hold. */
export const examineGossip = Effect.fn("Evidence.examineGossip")(function* (kzg: Kzg, evidence: GossipEvidence) {
  const view = Either.getOrUndefined(viewSidecar(evidence.block.fork, evidence.message.ssz))
  const steps = [idStep(evidence), labelStep(evidence), yield* ruleStep(kzg, evidence, view)]
  return {
    holds: steps.every(({ holds }) => holds),
    steps,
    believed: believed(evidence)
  } satisfies Examination
})

const idStep = ({ message: { id, ssz, topic } }: GossipEvidence): Step => {
  const computed = `0x${hexMessageId(topic, ssz)}`
  return { holds: computed === id, text: `the message has the id ${computed} on ${topic}` }
}

/** That the message is of the block and column that it is said to be of; one that cannot be read says nothing. */
const labelStep = ({ accusation, block, message }: GossipEvidence): Step =>
  Either.match(peekSidecar(block.fork, message.ssz), {
    onLeft: (error) => ({ holds: accusation.rule === "structure", text: `the message is ${error.message}` }),
    onRight: ({ blockRoot, index, slot }) => ({
      holds: index === accusation.column && slot === block.slot && (block.root === null || blockRoot === block.root),
      text: `the message says that it is column ${index} of block ${blockRoot} in slot ${slot}`
    })
  })

const ruleStep = (kzg: Kzg, evidence: GossipEvidence, view: SidecarView | undefined): Effect.Effect<Step> => {
  const { accusation, block, message } = evidence
  switch (accusation.rule) {
    case "structure":
      return Effect.succeed(structureStep(evidence, view))
    case "wrong_subnet": {
      const topic = Option.getOrUndefined(parseColumnTopic(message.topic))
      const isWrong = topic !== undefined && view !== undefined && view.index % numberOfColumns !== topic.column
      return Effect.succeed({ holds: isWrong, text: `column ${view?.index} on the topic of column ${topic?.column}` })
    }
    case "signature":
      return Effect.sync(() => signatureStep(evidence, view))
    case "inclusion_proof": {
      const isWrong = view?._tag === "Fulu" && !inclusionProofHolds(view)
      return Effect.succeed({ holds: isWrong, text: "its inclusion proof does not lead to its header's body root" })
    }
    case "kzg_proof":
      return kzgStep(kzg, evidence, view)
    default:
      return Effect.succeed({ holds: block.root !== null, text: `${accusation.detail} (the chain has to say so)` })
  }
}

const structureStep = ({ block }: GossipEvidence, view: SidecarView | undefined): Step => {
  if (view === undefined) return { holds: true, text: "it is no sidecar" }
  const failed = checkStructure(view, block.maxBlobsPerBlock)
  if (Option.isSome(failed)) return { holds: true, text: failed.value.detail }
  const cells = view.proofs.length / 48
  const wanted = block.commitments?.length ?? cells
  return { holds: view._tag === "Gloas" && cells !== wanted, text: `it has ${cells} cells, its block ${wanted} blobs` }
}

const signatureStep = ({ block, message, network, signedBy }: GossipEvidence, view: SidecarView | undefined): Step => {
  const signature = Option.getOrUndefined(headerSignature(block.fork, message.ssz))
  if (signature === undefined || view?._tag !== "Fulu" || block.root === null || signedBy === null) {
    return { holds: false, text: "there is no signature, or nothing to hold it against" }
  }
  if ("blockSignature" in signedBy) {
    const isOther = !equalBytes(signature, signedBy.blockSignature)
    return { holds: isOther, text: `its signature is ${isOther ? "another than" : "that of"} the block of its header` }
  }
  const domain = proposerDomain(network.forkVersion, network.genesisValidatorsRoot)
  const signingRoot = sha256(concatBytes([fromHex(block.root), domain]))
  const isGood = holds({ publicKey: signedBy.publicKey, signingRoot, signature })
  const text = `its signature ${isGood ? "holds" : "does not hold"} under the key ${toHex(signedBy.publicKey)}`
  return { holds: !isGood, text }
}

const kzgStep = (kzg: Kzg, { block, message }: GossipEvidence, view: SidecarView | undefined): Effect.Effect<Step> => {
  const commitments = view?._tag === "Fulu" ? commitmentsOf(view) : block.commitments
  if (view === undefined || commitments === null || block.root === null) {
    return Effect.succeed({ holds: false, text: "there are no commitments to hold its cells against" })
  }
  if (view._tag === "Fulu" && inclusionProofHolds(view) && !commitments.every(isPoint)) {
    return Effect.succeed({ holds: true, text: "its commitments, those of its header, are no points on the curve" })
  }
  const { fork, maxBlobsPerBlock, root, slot } = block
  return verifySidecars(kzg, [
    { fork, ssz: message.ssz, blockRoot: fromHex(root), slot, commitments, maxBlobsPerBlock }
  ]).pipe(
    Effect.map(([verdict]) =>
      verdict?._tag === "Invalid"
        ? { holds: verdict.check === "kzg_proof", text: `it fails the check ${verdict.check}: ${verdict.detail}` }
        : { holds: false, text: "the sidecar passes every check" }
    ),
    Effect.catchAll((error) => Effect.succeed({ holds: false, text: `it cannot be judged: ${error.reason}` }))
  )
}

const believed = ({ accusation, block, network, peer, signedBy }: GossipEvidence): ReadonlyArray<string> => [
  ...(signedBy !== null && "publicKey" in signedBy
    ? [`that ${toHex(signedBy.publicKey)} is the key of the validator that its header names: ask a node of your own`]
    : []),
  ...(signedBy !== null && "blockSignature" in signedBy
    ? [`that the block of slot ${block.slot} has that signature: ask a node of your own`]
    : []),
  ...(byChain.has(accusation.rule)
    ? [`what the chain of ${network.name} says of its proposer, parent or block: ask a node of your own`]
    : []),
  `that ${peer.peerId} sent it, and when: libp2p signs nothing that proves the sender to others`
]

/** What only the chain can show. */
const byChain = new Set(["proposer_index", "parent_slot", "finalized_ancestor", "wrong_proposer", "block_slot"])
