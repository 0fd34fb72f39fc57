import { randomUUID } from "node:crypto"
import { type ChainParameters, slotAt } from "../../domain/network/Chain.ts"
import type { Outcome, Probe } from "../../domain/probe/Job.ts"
import type { OutcomeKind } from "../../domain/probe/Outcome.ts"
import { printable } from "../../domain/Text.ts"
import { periodsOf } from "./Periods.ts"
import type { ProbeResult, Sender, XatuEvent } from "./XatuEvent.ts"

/**
 * How an outcome is told in the three words of Xatu; the finer word stands in the event's `error`. What is about us and
 * not about the peer is not told.
 */
const resultOf: Readonly<Record<OutcomeKind, ProbeResult | undefined>> = {
  success: "success",
  missing: "missing",
  invalid: "failure",
  unavailable: "failure",
  malformed: "failure",
  timeout: "failure",
  disconnected: "failure",
  refused: undefined,
  unverifiable: undefined,
  // "Transient, the probe did not complete": it settles nothing yet.
  suspected: "failure"
}

/**
 * One event for each combination of the probe. All of a probe bear its end as their time and its duration as their
 * response time, so that the one minus the other is when it was asked.
 */
export const probeEvents = function* (sender: Sender, chain: ChainParameters, probe: Probe): Generator<XatuEvent> {
  const { peerId } = probe.job
  const responseTime = Math.max(0, Math.floor(probe.timings.total))
  const requestSlot = Math.max(0, slotAt(chain, probe.finishedAt - responseTime))
  const wallclock = periodsOf(chain, requestSlot)
  const metadata = { peer_id: peerId }
  for (const outcome of probe.outcomes) {
    const result = resultOf[outcome.outcome]
    if (result === undefined) continue
    const probed = periodsOf(chain, outcome.slot)
    yield {
      event: { name: "LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE", date_time: probe.finishedAt, id: randomUUID() },
      meta: {
        client: {
          ...sender,
          libp2p_trace_rpc_data_column_custody_probe: {
            metadata,
            epoch: probed.epoch,
            slot: probed.slot,
            wallclock_epoch: wallclock.epoch,
            wallclock_slot: wallclock.slot
          }
        }
      },
      libp2p_trace_rpc_data_column_custody_probe: {
        job_start_timestamp: probe.startedAt,
        peer_id: peerId,
        slot: probed.slot.number,
        slot_start_date_time: seconds(probed.slot.start_date_time),
        epoch: probed.epoch.number,
        epoch_start_date_time: seconds(probed.epoch.start_date_time),
        wallclock_request_slot: wallclock.slot.number,
        wallclock_request_slot_start_date_time: seconds(wallclock.slot.start_date_time),
        wallclock_request_epoch: wallclock.epoch.number,
        wallclock_request_epoch_start_date_time: seconds(wallclock.epoch.start_date_time),
        column_index: outcome.column,
        column_rows_count: cellsOf(outcome),
        beacon_block_root: outcome.blockRoot,
        result,
        response_time_ms: responseTime,
        ...(result === "failure" ? { error: errorOf(outcome) } : {})
      }
    }
  }
}

/** Cells that came: those of a column that failed its checks as well, for certain or for the first time. */
const cellsOf = ({ blobs, outcome, suspicion }: Outcome): number =>
  outcome === "success" || outcome === "invalid" || suspicion === "invalid" ? blobs : 0

const errorOf = ({ outcome, reason }: Outcome): string => printable(`${outcome}: ${reason ?? ""}`, longestError)

const longestError = 500

const seconds = (unixMs: number): number => Math.floor(unixMs / 1000)
