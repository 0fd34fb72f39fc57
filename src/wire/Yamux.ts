import type { MessageStream, StreamMuxer, StreamMuxerFactory } from "@libp2p/interface"
import { yamux, type YamuxMuxerInit } from "@libp2p/yamux"

/**
 * yamux, which says that there is room in a window once there is much of it. The library says it after every data frame,
 * and each time costs as much as to decrypt a whole column: a message of Noise and two writes to the socket.
 */
export const thriftyYamux = (init: YamuxMuxerInit): (() => StreamMuxerFactory) => {
  const make = yamux(init)
  return () => {
    const factory = make()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const gathered = gatherUpdates(connection)
      const muxer = create(connection)
      gathered.streams = muxer.streams
      return muxer
    }
    return factory
  }
}

/**
 * What is kept back of the room in one window, less than this in bytes. A window has twice as much to begin with, so
 * that a peer never waits for what is kept back.
 */
export const mostKeptBack = 128 * 1024

/** Sends window updates on this connection, from now on, by their sums; everything else as it comes. */
const gatherUpdates = (connection: MessageStream): { streams: StreamMuxer["streams"] } => {
  const send = connection.send.bind(connection)
  const keptBack = new Map<number, number>()
  const muxer: { streams: StreamMuxer["streams"] } = { streams: [] }
  connection.send = (data) => {
    if (!(data instanceof Uint8Array) || !isPlainUpdate(data)) return send(data)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const stream = view.getUint32(streamAt)
    const before = keptBack.get(stream)
    const room = (before ?? 0) + view.getUint32(roomAt)
    if (room >= mostKeptBack) {
      keptBack.delete(stream)
      view.setUint32(roomAt, room)
      return send(data)
    }
    if (before === undefined) forgetClosed(keptBack, muxer.streams)
    keptBack.set(stream, room)
    return true
  }
  return muxer
}

/** What was kept back of streams that are gone is of no use to anyone. */
const forgetClosed = (keptBack: Map<number, number>, streams: StreamMuxer["streams"]): void => {
  for (const stream of keptBack.keys()) if (!streams.some(({ id }) => id === `${stream}`)) keptBack.delete(stream)
}

/**
 * A frame of a window update and no flags, which would open or end the stream: version 0, type 1, two bytes of flags, the
 * stream and the room, four bytes each (hashicorp/yamux, spec.md, "Framing").
 */
const isPlainUpdate = (frame: Uint8Array): boolean =>
  frame.length === frameBytes && frame[0] === 0 && frame[1] === 1 && frame[2] === 0 && frame[3] === 0

const frameBytes = 12
const streamAt = 4
const roomAt = 8
