import type { Logger, MessageStreamDirection } from "@libp2p/interface"
import { AbstractStream, type SendResult } from "@libp2p/utils"
import { endOf, type NativeStream } from "./NativeQuic.ts"

export interface QuicStreamInit {
  readonly id: string
  readonly native: NativeStream
  readonly direction: MessageStreamDirection
  readonly log: Logger
  /** Called once, when the peer's end, of whatever kind, has been read. */
  readonly onReadToEnd: () => void
}

/**
 * A stream of QUIC, with the ends that the wire tells apart. That of the module takes a reset and a lost connection for
 * the peer's clean end, which would make of half an answer a whole one; and it reads on while it is paused.
 */
export class QuicStream extends AbstractStream {
  readonly #native: NativeStream
  readonly #onReadToEnd: () => void
  #paused = false
  #resume = nothing
  #readToEnd = false
  /** What is written goes nowhere: the peer does not want it, or is gone. */
  #discards = false

  constructor({ direction, id, log, native, onReadToEnd }: QuicStreamInit) {
    super({ id, direction, log })
    this.#native = native
    this.#onReadToEnd = onReadToEnd
    void this.#pump()
  }

  /** Whether the peer's end has not come yet, and there is nobody who wants it any more. */
  isAbandoned(): boolean {
    return this.status !== "open" && !this.#readToEnd
  }

  /** The connection is gone: what came before is read, and then the stream is over. */
  onConnectionLost(): void {
    this.#discards = true
    this.#release()
    if (this.#readToEnd) this.onTransportClosed()
  }

  override sendData(data: Parameters<AbstractStream["sendData"]>[0]): SendResult {
    const sentBytes = data.byteLength
    if (this.#discards) return { sentBytes, canSendMore: true }
    this.#native.write(data.subarray()).then(
      () => this.safeDispatchEvent("drain"),
      (error: unknown) => this.#onWriteFailed(error)
    )
    return { sentBytes, canSendMore: false }
  }

  /** That we do not read any more goes out when the read that is under way ends: with the peer's next bytes. */
  override sendReset(): void {
    this.#release()
    this.#reset()
    void this.#native.stopRead().catch(nothing)
  }

  override async sendCloseWrite(): Promise<void> {
    if (!this.#discards) await this.#native.finishWrite()
  }

  /** Whatever comes is thrown away: it is read on for the peer's end. */
  override async sendCloseRead(): Promise<void> {
    this.#release()
  }

  override sendPause(): void {
    this.#paused = true
  }

  override sendResume(): void {
    this.#release()
  }

  #release(): void {
    this.#paused = false
    this.#resume()
  }

  #reset(): void {
    void this.#native.resetWrite().catch(nothing)
  }

  /** A reader that waits has its buffer allocated: it is small, until a peer has more to say than fits. */
  async #pump(): Promise<void> {
    let size = smallest
    while (this.status === "open") {
      if (this.#paused) await new Promise<void>((resolve) => (this.#resume = resolve))
      let bytes
      try {
        bytes = await this.#native.read(size)
      } catch (error) {
        this.#noteEnd()
        return this.#onReadFailed(error)
      }
      if (bytes === null || bytes === undefined) {
        this.#noteEnd()
        return this.onRemoteCloseWrite()
      }
      size = bytes.length === size ? Math.min(largest, 2 * size) : smallest
      this.onData(bytes)
    }
    this.#noteEnd()
  }

  #noteEnd(): void {
    this.#readToEnd = true
    this.#onReadToEnd()
  }

  #onReadFailed(error: unknown): void {
    if (this.status !== "open") return
    if (endOf(error) !== "reset") return this.onTransportClosed()
    // Both halves, as with the other muxers.
    this.#reset()
    this.onRemoteReset()
  }

  /** The reading half may still hold an answer: the stream goes on as if what is written were sent. */
  #onWriteFailed(error: unknown): void {
    if (this.status !== "open") return
    this.#discards = true
    this.onRemoteCloseRead()
    this.safeDispatchEvent("drain")
    if (!this.#readToEnd) return
    // Nothing more comes, and nothing more is wanted.
    if (endOf(error) === "lost") this.onTransportClosed()
    else this.onRemoteReset()
  }
}

/** Bytes asked of the transport at once. */
const smallest = 4 * 1024
const largest = 64 * 1024

const nothing = (): void => {}
