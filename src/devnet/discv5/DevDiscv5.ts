import type { SignableENR } from "@chainsafe/enr"
import { Clock, Effect, type Scope } from "effect"
import { type ChainParameters, slotAt, slotStart } from "../../domain/network/Chain.ts"
import { changeEnr } from "../../wire/discv5/ChangeableEnr.ts"
import { makeSoundDiscv5, type SoundDiscv5 } from "../../wire/discv5/SoundDiscv5.ts"
import { bindUdp } from "../../wire/discv5/UdpSockets.ts"
import { UdpTransport } from "../../wire/discv5/UdpTransport.ts"
import { seeded } from "../chain/Random.ts"
import { DevnetError } from "../DevnetError.ts"
import { devEnr, enrEntries, type EnrParts } from "./DevEnr.ts"

/**
 * The discv5 of a devnet: a node for each that joins, real to whoever asks it. Among themselves they need not look for each
 * other: each is told of every other one, and of what becomes of its ENR, as if they had met.
 */
export interface DevDiscv5 {
  /**
   * Starts a node on 127.0.0.1, which runs until the scope closes; `says` is what its ENR says at a moment, beside its own
   * port. Gives the text of the ENR as it is now.
   */
  readonly join: (
    privateKey: Uint8Array,
    says: Effect.Effect<EnrParts>
  ) => Effect.Effect<Effect.Effect<string>, DevnetError, Scope.Scope>
  /**
   * Has all that have joined know each other. As all tables have room for sixteen of a distance, nobody knows everybody in
   * a large devnet; and each has met them in an order of its own, so that somebody knows each of them.
   */
  readonly introduce: Effect.Effect<void>
}

/** ENRs change at the start of a slot, if what they say does, and when they are asked for. */
export const makeDevDiscv5 = (parameters: ChainParameters): Effect.Effect<DevDiscv5, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const members = new Set<Member>()
    const tellOthers = ({ enr, node }: Pick<Member, "enr" | "node">) =>
      Effect.sync(() => {
        const record = enr.toENR()
        for (const other of members) if (other.node !== node) other.node.addEnr(record)
      })

    const everySlot = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* Effect.sleep(slotStart(parameters, slotAt(parameters, now) + 1) - now)
      yield* Effect.forEach(members, ({ settle }) => settle, { discard: true })
    })
    yield* Effect.forkScoped(Effect.forever(everySlot))

    const join: DevDiscv5["join"] = Effect.fnUntraced(
      function* (privateKey, says) {
        const socket = yield* bindUdp({ host: "127.0.0.1", port: 0 })
        const parts = Effect.map(says, (said) => ({ ...said, ports: { ...said.ports, udp: socket.port } }))
        const enr = devEnr(parameters, privateKey, yield* parts)
        const transport = new UdpTransport([socket], enr.nodeId, () => clock.unsafeCurrentTimeMillis())
        const node = makeSoundDiscv5(enr, privateKey, transport)
        const settle = Effect.flatMap(parts, (parts) =>
          Effect.when(tellOthers({ enr, node }), () => changeEnr(enr, enrEntries(parameters, parts)))
        )
        const member = { enr, node, settle }
        yield* Effect.acquireRelease(
          Effect.promise(async () => node.start()),
          () => Effect.promise(async () => node.stop())
        )
        yield* Effect.acquireRelease(
          Effect.sync(() => members.add(member)),
          () => Effect.sync(() => members.delete(member))
        )
        return Effect.map(settle, () => enr.encodeTxt())
      },
      Effect.mapError(({ message }) => new DevnetError({ reason: message }))
    )
    const introduce = Effect.sync(() => {
      const records = [...members].map(({ enr }) => enr.toENR())
      for (const { enr, node } of members) {
        for (const record of seeded(0, "acquaintances", enr.nodeId).shuffled(records)) node.addEnr(record)
      }
    })
    return { join, introduce }
  })

interface Member {
  readonly enr: SignableENR
  readonly node: SoundDiscv5
  /** Has its ENR say what is so now, and tells the others of it if that is something else. */
  readonly settle: Effect.Effect<unknown>
}
