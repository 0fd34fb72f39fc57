import type { RemoteInfo } from "node:dgram"
import { UDPTransportService } from "@chainsafe/discv5"
import { decodePacket, encodePacket } from "@chainsafe/discv5/packet"
import { multiaddrFromSocketAddress } from "@chainsafe/discv5/util"
import { type Bucket, makeBucket, makeBuckets, type Rate } from "../../domain/Bucket.ts"
import { groupOfIp } from "../AddressGroup.ts"
import { emitterOf } from "./Emitter.ts"
import { ipBytes } from "./UdpEndpoint.ts"
import type { BoundSocket } from "./UdpSockets.ts"

/**
 * discv5's packets over sockets that are ours. The library's own transport does not tell which port it got, and ends the
 * program where one cannot be had, or where a packet cannot be sent. Whatever a stranger's packet does in here, it does
 * not come out; and there is a limit to how many are looked at.
 */
export class UdpTransport extends UDPTransportService {
  readonly #sockets: ReadonlyArray<BoundSocket>
  readonly #nodeId: string
  readonly #now: () => number
  readonly #all: Bucket = makeBucket(allPackets)
  readonly #ofAddress = makeBuckets<string>(packetsOfAddress, mostAddresses)

  /** At most one socket of each family, and one at least; `now`: milliseconds. */
  constructor(sockets: ReadonlyArray<BoundSocket>, nodeId: string, now: () => number) {
    super({ bindAddrs: bindAddressesOf(sockets), nodeId })
    this.#sockets = sockets
    this.#nodeId = nodeId
    this.#now = now
  }

  override async start(): Promise<void> {
    for (const { socket } of this.#sockets) socket.on("message", this.#hear)
  }

  override async stop(): Promise<void> {
    for (const { socket } of this.#sockets) socket.off("message", this.#hear)
  }

  override async send(...[to, toId, packet]: Parameters<UDPTransportService["send"]>): Promise<void> {
    const { family, host, port } = to.toOptions()
    const bound = this.#sockets.find((bound) => bound.family === family)
    // Without the function a failure would be an event that ends the program.
    bound?.socket.send(encodePacket(toId, packet), port, host, () => undefined)
  }

  readonly #hear = (data: Uint8Array, { address, family, port }: RemoteInfo): void => {
    if (!this.#isAllowed(address)) return
    try {
      const octets = ipBytes(address.split("%")[0] ?? address)
      const packet = decodePacket(this.#nodeId, data)
      const source = multiaddrFromSocketAddress({ ip: { type: family === "IPv4" ? 4 : 6, octets }, port })
      emitterOf(this).emit("packet", source, packet)
    } catch {
      // Not for us, or not discv5 at all: anyone may send anything.
    }
  }

  readonly #isAllowed = (address: string): boolean => {
    const now = this.#now()
    const own = this.#ofAddress(groupOfIp(address))
    if (own.room(now) < 1 || this.#all.room(now) < 1) return false
    own.take(1, now)
    this.#all.take(1, now)
    return true
  }
}

/** Each packet that begins a session costs some milliseconds. */
const allPackets: Rate = { burst: 4_000, perSecond: 1_000 }
const packetsOfAddress: Rate = { burst: 1_000, perSecond: 250 }
const mostAddresses = 4_096

const bindAddressesOf = (
  sockets: ReadonlyArray<BoundSocket>
): ConstructorParameters<typeof UDPTransportService>[0]["bindAddrs"] => {
  const address = (family: 4 | 6) => {
    const bound = sockets.find((bound) => bound.family === family)
    return bound === undefined
      ? undefined
      : multiaddrFromSocketAddress({ ip: { type: family, octets: ipBytes(bound.host) }, port: bound.port })
  }
  const [ip4, ip6] = [address(4), address(6)]
  if (ip4 !== undefined) return ip6 === undefined ? { ip4 } : { ip4, ip6 }
  if (ip6 !== undefined) return { ip6 }
  throw new Error("discv5 without a socket")
}
