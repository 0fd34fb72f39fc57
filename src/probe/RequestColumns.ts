import { Clock, Effect, Either, Option, Stream } from "effect"
import { accept, type ResponseState, type ColumnRequest, startResponse } from "../domain/column/ColumnResponse.ts"
import { type ChainParameters, epochOf, forkAt, type ForkName } from "../domain/network/Chain.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import { type DigestTable, forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import { MalformedResponse, type RequestError } from "../domain/probe/Outcome.ts"
import { type MalformedSidecar, peekAnySidecar, peekSidecar } from "../domain/column/Sidecar.ts"
import type { Host } from "../host/Host.ts"
import type { RequestMessage, ResponseChunk } from "../wire/Message.ts"

/** A sidecar that was asked for and came; nothing of it is checked yet. */
export interface Delivered {
  readonly slot: number
  readonly column: number
  readonly fork: ForkName
  /** The root of the block that it says it is of. */
  readonly blockRoot: string
  /** The context bytes as they came: `0x` and 8 digits, some fork digest of the network, if not its slot's. */
  readonly context: string
  readonly ssz: Uint8Array
}

/** Everything that one request brought. */
export interface Received {
  readonly message: RequestMessage
  /** The protocol id that was negotiated; empty if it did not come to that. */
  readonly protocol: string
  /** Unix milliseconds. */
  readonly sentAt: number
  readonly response: ResponseState
  readonly delivered: ReadonlyArray<Delivered>
  readonly findings: ReadonlyArray<Finding>
  /** What ended the response, unless the peer ended it cleanly. */
  readonly error: Option.Option<RequestError>
  /** Milliseconds; none for what was not reached. */
  readonly openMs: Option.Option<number>
  readonly firstByteMs: Option.Option<number>
  readonly bytes: number
}

/** What a response is read against. */
export interface Network {
  readonly chain: ChainParameters
  readonly digests: DigestTable
}

/**
 * Sends one request for columns and reads the response to its end, however it ends. A chunk that cannot be decoded or
 * attributed ends it as malformed; what came before is kept.
 */
export const requestColumns = Effect.fn("Prober.requestColumns")(function* (
  host: Host["Type"],
  network: Network,
  peerId: string,
  message: RequestMessage,
  request: ColumnRequest
) {
  const startedAt = yield* Clock.currentTimeMillis
  let response = startResponse(request)
  const delivered: Array<Delivered> = []
  const findings: Array<Finding> = []
  let protocol = ""
  let openMs = Option.none<number>()
  let firstByteMs = Option.none<number>()
  let bytes = 0

  const take = Effect.fnUntraced(function* (chunk: ResponseChunk) {
    if (Option.isNone(firstByteMs)) firstByteMs = Option.some((yield* Clock.currentTimeMillis) - startedAt)
    bytes += chunk.wireBytes
    const { sidecar, wrongContext } = yield* attribute(network, chunk)
    if (Option.isSome(wrongContext)) findings.push(wrongContext.value)
    const accepted = yield* Either.mapLeft(
      accept(response, { slot: sidecar.slot, index: sidecar.column }),
      (error) => new MalformedResponse({ detail: error.message })
    )
    response = accepted.state
    if (accepted.kept) delivered.push(sidecar)
    if (Option.isSome(accepted.finding)) findings.push(accepted.finding.value)
  })

  const result = yield* host.request(peerId, message).pipe(
    Effect.flatMap(({ chunks, protocol: negotiated }) =>
      Effect.gen(function* () {
        protocol = negotiated
        openMs = Option.some((yield* Clock.currentTimeMillis) - startedAt)
        yield* Stream.runForEach(chunks, take)
      })
    ),
    Effect.scoped,
    Effect.either
  )
  const received: Received = {
    message,
    protocol,
    sentAt: startedAt,
    response,
    delivered,
    findings: oneOfEach(findings),
    error: Either.getLeft(result),
    openMs,
    firstByteMs,
    bytes
  }
  return received
})

/**
 * Which combination a chunk is for: by its fixed fields alone, read in the form of the fork that its own slot is of.
 * Context bytes of another slot of the network are a finding and no more (Nimbus and older Lodestar write those of the
 * running epoch); others are of another network, or no context bytes at all.
 */
const attribute = (
  network: Network,
  chunk: ResponseChunk
): Either.Either<{ readonly sidecar: Delivered; readonly wrongContext: Option.Option<Finding> }, MalformedResponse> =>
  Either.gen(function* () {
    const { chain, digests } = network
    const { context = "(none)", ssz } = chunk
    if (!digests.has(context)) {
      return yield* malformed(`context bytes ${context} are no fork digest of this network`)
    }
    const unreadable = ({ message }: MalformedSidecar) => new MalformedResponse({ detail: message })
    const { slot } = yield* Either.mapLeft(peekAnySidecar(ssz), unreadable)
    const fork = forkAt(chain, epochOf(chain, slot)).name
    const { blockRoot, index: column } = yield* Either.mapLeft(peekSidecar(fork, ssz), unreadable)
    const digest = forkDigestOfSlot(chain, slot)
    return {
      sidecar: { slot, column, fork, blockRoot, context, ssz },
      wrongContext: Option.liftPredicate(
        {
          kind: "wrong_context" as const,
          detail: `context bytes ${context} with a sidecar of slot ${slot}, whose are ${digest}`
        },
        () => context !== digest
      )
    }
  })

const malformed = (detail: string) => Either.left(new MalformedResponse({ detail }))

/** One finding of each kind and response, with how often it occurred: a peer cannot fill our memory with them. */
const oneOfEach = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const kinds = new Map<Finding["kind"], { readonly first: Finding; readonly count: number }>()
  for (const finding of findings) {
    const seen = kinds.get(finding.kind)
    kinds.set(finding.kind, { first: seen?.first ?? finding, count: (seen?.count ?? 0) + 1 })
  }
  return [...kinds.values()].map(({ count, first }) =>
    count === 1 ? first : { kind: first.kind, detail: `${first.detail} (and ${count - 1} more)` }
  )
}
