import { Discv5, SessionService } from "@chainsafe/discv5"
import { createKeypair } from "@chainsafe/discv5/keypair"
import type { SignableENR } from "@chainsafe/enr"
import type { UdpTransport } from "./UdpTransport.ts"

type Enr = NonNullable<ReturnType<Discv5["findEnr"]>>

/**
 * The library's node, but that it does not fall over the ENRs of strangers: one with an address that is none (a port of
 * one byte, an IP address of five) makes it throw out of its timers, where that would end the program; and that it learns
 * of newer ENRs from those whose they are.
 */
export class SoundDiscv5 extends Discv5 {
  constructor(...parameters: ConstructorParameters<typeof Discv5>) {
    super(...parameters)
    Reflect.set(this, "activeLookups", new Lookups())
    const table: object = Reflect.get(this, "kbuckets")
    const buckets: ReadonlyArray<object> = Reflect.get(table, "buckets")
    for (const bucket of buckets) haveOneTimer(bucket)
    const [, sessions] = parameters
    // The library writes the number of the ENR that it knows to the wrong end of its eight bytes. Nobody has a newer one then,
    // and a node that is at another address by now is turned away. Without a number everyone sends its ENR.
    const challenge: SessionService["sendChallenge"] = (address, nonce) => sessions.sendChallenge(address, nonce, null)
    Reflect.set(this, "handleWhoAreYouRequest", challenge)
  }

  override findEnr(nodeId: string): Enr | undefined {
    const enr = super.findEnr(nodeId)
    return enr !== undefined && isSound(enr) ? enr : undefined
  }
}

/** Those under way. The library leaves the timer of one that is over to run for its whole minute. */
class Lookups extends Map<unknown, object> {
  override delete(id: unknown): boolean {
    const lookup = this.get(id)
    if (lookup !== undefined) Reflect.apply(clearTimeout, undefined, [Reflect.get(lookup, "timeout")])
    return super.delete(id)
  }
}

/**
 * A bucket leaves the timer of a node that waits to come in to run where that node has no need of it any more. The next one
 * would come in by it, too early; and it would run on when the node is stopped.
 */
const haveOneTimer = (bucket: object): void => {
  let current: unknown
  Object.defineProperty(bucket, "pendingTimeoutId", {
    get: () => current,
    set: (next: unknown) => {
      Reflect.apply(clearTimeout, undefined, [current])
      current = next
    }
  })
}

/** A node with this key (32 bytes, secp256k1), which has signed the ENR. */
export const makeSoundDiscv5 = (enr: SignableENR, privateKey: Uint8Array, transport: UdpTransport): SoundDiscv5 =>
  new SoundDiscv5(
    settings,
    new SessionService(settings, enr, createKeypair({ type: "secp256k1", privateKey }), transport)
  )

/** Whether everything that the library reads of it can be read. */
const isSound = (enr: Enr): boolean => {
  try {
    return (
      [enr.ip, enr.udp, enr.ip6, enr.udp6, enr.getLocationMultiaddr("udp4"), enr.getLocationMultiaddr("udp6")].length >
      0
    )
  } catch {
    return false
  }
}

const settings = {
  requestTimeout: 2_000,
  requestRetries: 1,
  sessionTimeout: 86_400_000,
  sessionEstablishTimeout: 15_000,
  sessionCacheCapacity: 2_000,
  lookupParallelism: 3,
  lookupRequestLimit: 3,
  lookupNumResults: 16,
  lookupTimeout: 60_000,
  pingInterval: 300_000,
  // Whom we believe about our address is decided by `AddressVotes`.
  enrUpdate: false,
  addrVotesToUpdateEnr: Infinity,
  allowUnverifiedSessions: false
}
