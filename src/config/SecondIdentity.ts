import { ListenMultiaddrs } from "./places/ListenMultiaddr.ts"
import { optional, printableLine, whole, withDefault } from "./Values.ts"

/** The keys that are about a second identity; they stand beside all others. */
export const secondIdentityKeys = {
  /** With 2 a second node, which no peer can link to the first but by address, asks the same now and then. */
  identities: withDefault(whole(1, 2), () => 1),
  /** The agent of the second node; that of the first if left out. */
  secondAgent: optional(printableLine(128)),
  /** Where the second node listens; any free port of the addresses of the first if left out. */
  secondListenAddresses: optional(ListenMultiaddrs)
}

/** Where the second node listens: at the addresses of the first, at any free port of them, unless it is set. */
export const secondListenOf = (config: {
  readonly listenAddresses: ReadonlyArray<string>
  readonly secondListenAddresses?: ReadonlyArray<string>
}): ReadonlyArray<string> =>
  config.secondListenAddresses ?? [
    ...new Set(
      config.listenAddresses.map((address) => address.replace(atPort, (_, transport: string) => `${transport}0`))
    )
  ]

/** Of a multiaddr: its transport, and the port of it. */
const atPort = /(\/(?:tcp|udp)\/)\d+/i
