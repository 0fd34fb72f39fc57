import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Effect } from "effect"
import { Dasmon, Snapshot } from "../../Dasmon.ts"
import { Status } from "../../domain/Status.ts"
import { Alive, Ready } from "../api/ResponseSchemas.ts"
import { jsonResponse } from "./JsonResponse.ts"
import { Api } from "../api/Api.ts"
import { errorResponse, NotAlive, NotReady } from "../api/ApiErrors.ts"

/** The monitor itself: how it is doing, and whether it lives and works. */
export const layer = HttpApiBuilder.group(Api, "monitor", (handlers) =>
  Effect.map(Dasmon, (dasmon) =>
    handlers
      .handle("status", () => Effect.flatMap(dasmon.status, jsonResponse(Status)))
      .handle("snapshot", () => Effect.flatMap(dasmon.snapshot, jsonResponse(Snapshot)))
      .handle("healthz", () =>
        Effect.flatMap(dasmon.dead, (reasons) =>
          reasons.length === 0 ? alive({ status: "alive" }) : Effect.succeed(errorResponse(new NotAlive({ reasons })))
        )
      )
      .handle("readyz", () =>
        Effect.gen(function* () {
          const reasons = unreadiness(yield* dasmon.status)
          return yield* reasons.length === 0
            ? ready({ status: "ready" })
            : Effect.succeed(errorResponse(new NotReady({ reasons })))
        })
      )
  )
)

const alive = jsonResponse(Alive)
const ready = jsonResponse(Ready)

/** Without names and paths: this is told to everyone. */
const unreadiness = ({ commitments, doubts, history }: Status): ReadonlyArray<string> => [
  // Without a head there is no window in which ground truth could be wanted.
  ...(commitments.wanted === 0 ? ["the head of the chain is not known yet"] : []),
  ...doubts,
  ...(history.state === "paused" ? ["the history is not recorded: /status says why"] : [])
]
