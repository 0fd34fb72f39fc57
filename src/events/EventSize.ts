import type { SlotVerdict } from "../domain/availability/SlotVerdict.ts"
import type { Event } from "../domain/Event.ts"
import type { Status } from "../domain/Status.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"

/** About how many bytes an event has as JSON, told without making the JSON: from the parts that vary. */
export const jsonSizeOf = (event: Event): number => {
  switch (event._tag) {
    case "Sampling": {
      const { findings, job, outcomes } = event.probe
      let size = 720 + 4 * job.columns.length
      for (const { blockRoot, reason, suspicion } of outcomes) {
        size +=
          68 + blockRoot.length + (reason === undefined ? 0 : 12 + reason.length) + (suspicion === undefined ? 0 : 24)
      }
      for (const { detail } of findings) size += 50 + detail.length
      return size
    }
    case "CustodyUpdate": {
      const columns = event.claim.columns.length + (event.previous?.columns.length ?? 0)
      return event.findings.reduce((size, { detail }) => size + 50 + detail.length, 650 + 4 * columns)
    }
    case "NodeTracking":
      return 150 + event.detail.length + viewSize(event.peer)
    case "SystemSnapshot":
      return statusSize(event.status)
    case "ScanProgress":
      return 250 + event.step.detail.length
    case "ColumnArrival":
      return 560 + event.topic.length + event.messageId.length
    case "MatrixProgress":
      return 330
    case "SlotAvailability":
      return verdictSize(event)
    case "GossipFault": {
      const { blockRoot, detail, peerId, topic } = event.fault
      return 190 + (blockRoot ?? "").length + detail.length + peerId.length + topic.length
    }
  }
}

const verdictSize = ({ absent, clients, present, reason, unanswered }: SlotVerdict): number =>
  640 + reason.length + 4 * (absent.length + present.length + unanswered.length) + 13 * clients.length

const statusSize = ({ availability, beaconNodes, doubts, ownRecord }: Status): number => {
  let size = 1640 + (availability.last === null ? 0 : verdictSize(availability.last))
  for (const { name, reason } of beaconNodes) size += 250 + name.length + (reason ?? "").length
  for (const doubt of doubts) size += 3 + doubt.length
  if (ownRecord === null) return size
  size += 80 + ownRecord.enr.length
  for (const address of ownRecord.advertised) size += 3 + address.length
  for (const { address } of ownRecord.observed) size += 30 + address.length
  return size
}

const viewSize = (view: PeerView): number =>
  720 +
  (view.agent ?? "").length +
  (view.address ?? "").length +
  (view.lastFailure ?? "").length +
  4 * (view.custody?.columns.length ?? 0)
