import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Effect, Option } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { NoSuchBlob } from "../../domain/blobs/BlobErrors.ts"
import { toHex } from "../../domain/Bytes.ts"
import { Api } from "../api/Api.ts"
import { errorResponse } from "../api/ApiErrors.ts"
import { BlobAnswer } from "../api/BlobApi.ts"
import { jsonResponse } from "./JsonResponse.ts"

/** Blobs of blocks, from whoever holds their columns. */
export const layer = HttpApiBuilder.group(Api, "blobs", (handlers) =>
  Effect.map(Dasmon, (dasmon) =>
    handlers.handle("blob", ({ path: { index, slot } }) =>
      Effect.gen(function* () {
        const { account, blobs, isRecovered } = yield* dasmon.blobs({ block: { slot }, indices: [index] })
        const found = Option.fromNullable(blobs[0])
        if (Option.isNone(found)) return yield* new NoSuchBlob({ slot, reason: `there is no blob ${index}` })
        const { blob, commitment, versionedHash } = found.value
        return yield* blobResponse({
          index,
          commitment: toHex(commitment),
          versionedHash: toHex(versionedHash),
          blob: toHex(blob),
          recovered: isRecovered,
          account
        })
      }).pipe(Effect.catchAll((error) => Effect.succeed(errorResponse(error))))
    )
  )
)

const blobResponse = jsonResponse(BlobAnswer)
