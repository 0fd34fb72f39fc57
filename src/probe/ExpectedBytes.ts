import { Effect } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { sidecarBytes } from "../domain/column/Sidecar.ts"
import type { SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Job } from "../domain/probe/Job.ts"
import { dueBlocks } from "./Conversation.ts"

/** Bytes of the columns that a job asks for, by the blobs of their blocks; fails where the chain cannot tell these. */
export const expectedBytes = (commitments: CommitmentCache["Type"], job: Job, confirms: ReadonlyArray<SuspectedSlot>) =>
  Effect.map(commitments.range({ start: job.startSlot, end: job.startSlot + job.count - 1 }), (facts) => {
    const columns = new Map(confirms.map((suspected) => [suspected.slot, suspected.columns.length]))
    let bytes = 0
    for (const [slot, block] of dueBlocks(facts)) {
      const count = confirms.length === 0 ? job.columns.length : (columns.get(slot) ?? 0)
      bytes += count * sidecarBytes(block.fork, block.commitments.length)
    }
    return bytes
  })
