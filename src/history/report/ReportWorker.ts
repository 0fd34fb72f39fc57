import { workerData } from "node:worker_threads"
// Modules one by one: all of the platform would take twice as long to load.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import * as WorkerRunner from "@effect/platform/WorkerRunner"
import { Effect, Layer, Schema } from "effect"
import { makeAnswers } from "./ReportAnswers.ts"
import { ReportRequest } from "./ReportRequest.ts"

/** Entry of a report thread; its data is the path of the history. */
const worker = Layer.unwrapScoped(
  Effect.gen(function* () {
    const answers = yield* makeAnswers(yield* Schema.decodeUnknown(Schema.String)(workerData))
    return WorkerRunner.layerSerialized(ReportRequest, {
      Compliance: ({ options }) => answers.compliance(options),
      Worst: ({ options }) => answers.worst(options),
      Untested: ({ options }) => answers.untested(options),
      Slot: ({ options }) => answers.slot(options),
      Probes: ({ options }) => answers.probes(options),
      Failures: ({ options }) => answers.failures(options),
      PeerRecord: ({ options }) => answers.peer(options),
      Claims: ({ options }) => answers.claims(options),
      PeerDays: ({ options }) => answers.peerDays(options),
      Arrivals: ({ options }) => answers.arrivals(options),
      SlotArrivals: ({ options }) => answers.slotArrivals(options),
      Slots: ({ options }) => answers.slots(options),
      Availability: ({ options }) => answers.availability(options),
      Extent: () => answers.extent
    })
  })
).pipe(Layer.provide(NodeWorkerRunner.layer))

WorkerRunner.launch(worker).pipe(NodeRuntime.runMain)
