import * as WorkerRunner from "@effect/platform/WorkerRunner"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import { Effect, Layer } from "effect"
import { loadKzg } from "./Kzg.ts"
import { unpackBatch, VerifyBatch } from "./VerifierMessage.ts"
import { verifyColumns } from "./VerifyColumns.ts"

/** Entry of a verifier thread. It says that it is ready when the trusted setup is loaded. */
const worker = Layer.unwrapEffect(
  Effect.map(loadKzg, (kzg) =>
    WorkerRunner.layerSerialized(VerifyBatch, {
      VerifyBatch: (batch) => verifyColumns(kzg, unpackBatch(batch))
    })
  )
).pipe(Layer.provide(NodeWorkerRunner.layer))

WorkerRunner.launch(worker).pipe(NodeRuntime.runMain)
