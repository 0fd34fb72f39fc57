import { Context, type Effect, type Option, Schema } from "effect"

/** The server does not answer, or says that it cannot take anything for the moment. */
export class ServerUnavailable extends Schema.TaggedError<ServerUnavailable>()("ServerUnavailable", {
  reason: Schema.String
}) {}

/** The server answers and does not let us in, or is none that takes events: somebody has to change a configuration. */
export class AccessDenied extends Schema.TaggedError<AccessDenied>()("AccessDenied", {
  /** With what may be done about it. */
  reason: Schema.String
}) {}

/** The server takes nothing of the batch. One event is reason enough for it, and it does not say which. */
export class BatchRefused extends Schema.TaggedError<BatchRefused>()("BatchRefused", { reason: Schema.String }) {}

export type SendError = ServerUnavailable | AccessDenied | BatchRefused

/** Carries whole batches to a Xatu server. */
export class Transport extends Context.Tag("dasmon/XatuTransport")<
  Transport,
  {
    /** The server, for messages. */
    readonly name: string
    /**
     * Sends one CreateEventsRequest. The whole of it is taken or nothing; how many events the server kept, where it says
     * so. Limited in time.
     */
    readonly send: (request: Uint8Array) => Effect.Effect<Option.Option<number>, SendError>
  }
>() {}

/** Of one batch. */
export const sendLimitMs = 30_000
