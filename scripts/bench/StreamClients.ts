import * as Net from "node:net"

/*
 * Many clients of the event stream in a process of their own, so that what they cost is not counted as the server's.
 * Arguments: port, path, number of clients. Prints `ready` when each has its snapshot, and what it saw as JSON when
 * standard input closes. An event is known by its end, `"timestamp":<13 digits>}`, so that nothing has to be parsed.
 */

const [port = "0", path = "/ws", count = "1"] = process.argv.slice(2)
const isWebSocket = path.startsWith("/ws")

/** Latencies in whole milliseconds; the last place is for all that are longer. */
const latencies = new Uint32Array(60_001)
let delivered = 0
let bytesRead = 0
let begun = 0
let closed = 0

/** Notes the message whose JSON ends before `end`. */
const noteEnd = (bytes: Buffer, end: number): void => {
  if (bytes[end - 1] !== 0x7d || bytes[end - 15] !== 0x3a) return
  let at = 0
  for (let index = end - 14; index < end - 1; index++) {
    const digit = (bytes[index] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return
    at = at * 10 + digit
  }
  delivered++
  const latency = Math.min(latencies.length - 1, Math.max(0, Date.now() - at))
  latencies[latency] = (latencies[latency] ?? 0) + 1
}

/** Bytes of the read before that stand before those of a read: more than the end of an event, or a frame's header. */
const overlap = 16
const space = Buffer.alloc(overlap + 256 * 1024)

/** Finds where messages end in `bytes`, which are new from `overlap` on. */
type Reader = (bytes: Buffer) => void

/** WebSocket frames, which may be split anywhere. */
const frameReader = (): Reader => {
  /** Where the next frame begins, seen from the first new byte. */
  let next = 0
  return (bytes) => {
    let at = overlap + next
    if (next > 0 && at <= bytes.length) noteEnd(bytes, at)
    while (at < bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + header > bytes.length) break
      const length =
        header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      at += header + length
      if (at <= bytes.length) noteEnd(bytes, at)
    }
    next = at - bytes.length
  }
}

const eventReader: Reader = (bytes) => {
  for (let at = bytes.indexOf("\n\n", overlap - 1); at >= 0; at = bytes.indexOf("\n\n", at + 2)) noteEnd(bytes, at)
}

const connect = (): void => {
  const read = isWebSocket ? frameReader() : eventReader
  const before = Buffer.alloc(overlap)
  let isOpen = false
  const socket = Net.connect({
    port: Number(port),
    host: "127.0.0.1",
    onread: {
      buffer: space.subarray(overlap),
      callback: (length) => {
        bytesRead += length
        let bytes = space.subarray(0, overlap + length)
        if (isOpen) {
          before.copy(space)
        } else {
          const head = bytes.indexOf("\r\n\r\n", overlap)
          if (head < 0) return true
          isOpen = true
          if (++begun === Number(count)) process.stdout.write("ready\n")
          // The end of the head stands where the end of a read would.
          bytes = bytes.subarray(head + 4 - overlap)
        }
        read(bytes)
        bytes.copy(before, 0, bytes.length - overlap)
        return true
      }
    }
  })
  socket.on("close", () => closed++)
  socket.on("error", () => undefined)
  const upgrade = isWebSocket
    ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    : ""
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${upgrade}\r\n`)
}

for (let index = 0; index < Number(count); index++) connect()

const quantile = (fraction: number): number => {
  const wanted = fraction * latencies.reduce((sum, n) => sum + n, 0)
  let sum = 0
  return latencies.findIndex((n) => (sum += n) >= wanted && sum > 0)
}

process.stdin.resume().on("end", () => {
  const { system, user } = process.cpuUsage()
  const result = {
    delivered,
    bytesRead,
    closed,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: latencies.findLastIndex((n) => n > 0),
    cpuSeconds: (system + user) / 1e6
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
})
