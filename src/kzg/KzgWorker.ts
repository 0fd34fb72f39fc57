import * as WorkerRunner from "@effect/platform/WorkerRunner"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import { Effect, Layer, Schema } from "effect"
import { holds } from "../bls/Bls.ts"
import { CheckSignature } from "../bls/SignatureMessage.ts"
import { loadKzg } from "./Kzg.ts"
import { holdsBlob, recoverRow } from "./ProveRow.ts"
import { CheckBlob, RecoverRow, unpackBlob, unpackRow } from "./RowMessage.ts"
import { unpackBatch, VerifyBatch } from "./VerifierMessage.ts"
import { verifyColumns } from "./VerifyColumns.ts"

/** Entry of a thread of `KzgThreads`. It says that it is ready when the trusted setup is loaded. */
const worker = Layer.unwrapEffect(
  Effect.map(loadKzg, (kzg) =>
    WorkerRunner.layerSerialized(Schema.Union(VerifyBatch, RecoverRow, CheckBlob, CheckSignature), {
      VerifyBatch: (batch) => verifyColumns(kzg, unpackBatch(batch)),
      RecoverRow: (row) => recoverRow(kzg, unpackRow(row)),
      CheckBlob: (blob) => holdsBlob(kzg, unpackBlob(blob)),
      CheckSignature: (signed) => Effect.sync(() => holds(signed))
    })
  )
).pipe(Layer.provide(NodeWorkerRunner.layer))

WorkerRunner.launch(worker).pipe(NodeRuntime.runMain)
