import { assert, describe, it } from "@effect/vitest"
import "../../src/wire/Polyfill.ts"
import type { MessageStream } from "@libp2p/interface"
import { multiaddrConnectionPair } from "@libp2p/utils"
import { Effect } from "effect"
import { mostKeptBack, thriftyYamux } from "../../src/wire/Yamux.ts"
import { eventually } from "../Eventually.ts"

/** Counts the window updates without a flag that are sent on it, and the room that they give, by stream. */
const countUpdates = (connection: MessageStream) => {
  const rooms = new Map<number, number>()
  const counted = { frames: 0, rooms }
  const send = connection.send.bind(connection)
  connection.send = (data) => {
    const frame = data.subarray()
    if (frame.length === 12 && frame[1] === 1 && frame[3] === 0) {
      const view = new DataView(frame.buffer, frame.byteOffset)
      counted.frames++
      rooms.set(view.getUint32(4), (rooms.get(view.getUint32(4)) ?? 0) + view.getUint32(8))
    }
    return send(data)
  }
  return counted
}

const conversation = Effect.gen(function* () {
  const [client, server] = multiaddrConnectionPair()
  const counted = countUpdates(client)
  const muxer = thriftyYamux({ enableKeepAlive: false })().createStreamMuxer(client)
  const other = thriftyYamux({ enableKeepAlive: false })().createStreamMuxer(server)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      muxer.abort(new Error("over"))
      other.abort(new Error("over"))
    })
  )
  /** The peer answers with so many frames of 16 KiB; how many bytes of them come. */
  const ask = (frames: number) =>
    Effect.gen(function* () {
      other.addEventListener(
        "stream",
        ({ detail }) => {
          const sendRest = (): void => {
            while (frames > 0 && detail.writeStatus === "writable") {
              frames--
              if (!detail.send(new Uint8Array(16 * 1024))) return
            }
            if (frames === 0) void detail.close()
          }
          detail.addEventListener("drain", sendRest)
          sendRest()
        },
        { once: true }
      )
      const stream = yield* Effect.promise(() => muxer.createStream())
      let bytes = 0
      let isOver = false
      stream.addEventListener("message", ({ data }) => (bytes += data.byteLength))
      stream.addEventListener("remoteCloseWrite", () => (isOver = true))
      yield* eventually(() => isOver)
      yield* Effect.promise(() => stream.close())
      return bytes
    })
  return { ask, counted }
})

describe("yamux", () => {
  it.scopedLive("lets all through that a peer sends, and says so seldom", () =>
    Effect.gen(function* () {
      const { ask, counted } = yield* conversation
      const frames = 256
      assert.strictEqual(yield* ask(frames), frames * 16 * 1024)
      assert.isAtMost(counted.frames, frames / 4)
      const [room = 0] = counted.rooms.values()
      assert.isAbove(room, frames * 16 * 1024 - mostKeptBack)
    })
  )

  it.scopedLive("keeps the streams apart, and says nothing of short answers", () =>
    Effect.gen(function* () {
      const { ask, counted } = yield* conversation
      for (let nth = 0; nth < 20; nth++) assert.strictEqual(yield* ask(3), 3 * 16 * 1024)
      assert.strictEqual(counted.frames, 0)
    })
  )
})
