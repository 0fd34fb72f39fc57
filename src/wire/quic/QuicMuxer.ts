import {
  type AbortOptions,
  type ComponentLogger,
  type MessageStreamDirection,
  type MultiaddrConnection,
  type StreamMuxer,
  type StreamMuxerEvents,
  type StreamMuxerFactory,
  type StreamMuxerStatus,
  TypedEventEmitter
} from "@libp2p/interface"
import { raceSignal } from "race-signal"
import type { NativeConnection, NativeStream } from "./NativeQuic.ts"
import { QuicStream } from "./QuicStream.ts"

/** Of one connection; the streams of QUIC are its own. */
export const quicMuxerFactory = (
  native: NativeConnection,
  connection: MultiaddrConnection,
  logger: ComponentLogger
): StreamMuxerFactory<QuicMuxer> => ({
  protocol,
  createStreamMuxer: () => new QuicMuxer(native, connection, logger)
})

const protocol = "quic"

class QuicMuxer extends TypedEventEmitter<StreamMuxerEvents<QuicStream>> implements StreamMuxer<QuicStream> {
  readonly protocol = protocol
  readonly streams: Array<QuicStream> = []
  status: StreamMuxerStatus = "open"
  readonly #native: NativeConnection
  readonly #logger: ComponentLogger
  readonly #closing = new AbortController()
  readonly #connection: MultiaddrConnection
  readonly #abandoned = new Set<QuicStream>()
  #accepts = false
  #isLost = false

  constructor(native: NativeConnection, connection: MultiaddrConnection, logger: ComponentLogger) {
    super()
    this.#native = native
    this.#connection = connection
    this.#logger = logger
    connection.addEventListener("close", () => this.#onConnectionLost(), { once: true })
  }

  /** Streams are taken once there is someone to give them to: before that they wait with the transport. */
  override addEventListener(...args: Parameters<TypedEventEmitter<StreamMuxerEvents<QuicStream>>["addEventListener"]>) {
    super.addEventListener(...args)
    if (args[0] !== "stream" || this.#accepts) return
    this.#accepts = true
    void this.#accept()
  }

  async createStream(options: AbortOptions = {}): Promise<QuicStream> {
    const opening = this.#native.outboundStream()
    try {
      const native = await raceSignal(raceSignal(opening, options.signal), this.#closing.signal)
      return this.#add(native, "outbound")
    } catch (error) {
      // One that is opened after all is given up.
      opening.then(dismiss, nothing)
      throw error
    }
  }

  async close(options?: AbortOptions): Promise<void> {
    if (this.status !== "open") return
    this.status = "closing"
    await Promise.allSettled(this.streams.map((stream) => stream.close(options)))
    this.abort(new Error("the connection was closed"))
  }

  abort(error: Error): void {
    if (this.status === "closed") return
    this.#end()
    for (const stream of this.streams.slice()) stream.abort(error)
  }

  #onConnectionLost(): void {
    if (this.status === "closed") return
    this.#isLost = true
    this.#end()
    for (const stream of this.streams.slice()) stream.onConnectionLost()
  }

  #end(): void {
    this.status = "closed"
    this.#closing.abort(new Error("the connection is closed"))
  }

  /** Goes on when the connection is lost: a stream that came before that has still come. */
  async #accept(): Promise<void> {
    try {
      while (true) {
        const native = await this.#native.inboundStream()
        if (this.status === "closed" && !this.#isLost) {
          dismiss(native)
          continue
        }
        const stream = this.#add(native, "inbound")
        if (this.#isLost) stream.onConnectionLost()
        this.safeDispatchEvent("stream", { detail: stream })
      }
    } catch {
      // The connection is gone, and with it all that could be told of it.
    }
  }

  #add(native: NativeStream, direction: MessageStreamDirection): QuicStream {
    const id = native.id()
    const log = this.#logger.forComponent(`libp2p:quic:stream:${this.#native.id()}:${id}:${direction}`)
    const stream: QuicStream = new QuicStream({
      id,
      native,
      direction,
      log,
      onReadToEnd: () => this.#abandoned.delete(stream)
    })
    this.streams.push(stream)
    stream.addEventListener(
      "close",
      () => {
        const index = this.streams.indexOf(stream)
        if (index >= 0) this.streams.splice(index, 1)
        if (stream.isAbandoned()) this.#abandon(stream)
      },
      { once: true }
    )
    return stream
  }

  /** A stream that we gave up stays with the transport until the peer says something on it (`QuicStream.sendReset`). */
  #abandon(stream: QuicStream): void {
    this.#abandoned.add(stream)
    if (this.#abandoned.size > mostAbandoned) this.#connection.abort(new Error("it leaves too many streams unanswered"))
  }
}

/** Before the streams that a peer lets us open (100 and more) are used up. */
const mostAbandoned = 48

const dismiss = (native: NativeStream): void => {
  void native.resetWrite().catch(nothing)
  void native.stopRead().catch(nothing)
}

const nothing = (): void => {}
