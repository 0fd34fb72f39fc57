import { Effect, Option, type Scope } from "effect"
import type { Protocol } from "../../wire/Protocol.ts"
import { defaultServeLimits, type Handler, serve, type ServingNode } from "../../wire/Server.ts"
import type { Conduct } from "../profiles/Profile.ts"

/** Serves a protocol to those whom the peer's conduct admits. */
export const serverOf =
  (node: ServingNode, { admit, undecodable }: Pick<Conduct, "admit" | "undecodable">) =>
  (protocol: Protocol, handler: Handler<never>): Effect.Effect<void, never, Scope.Scope> =>
    serve(
      node,
      protocol,
      (ssz, peerId, reply, address) =>
        Effect.flatMap(
          admit({ protocol, ssz, peerId }),
          Option.match({
            onNone: () => handler(ssz, peerId, reply, address),
            onSome: ({ code, message }) => reply.error(code, message)
          })
        ),
      defaultServeLimits,
      undecodable
    )
