import { Duration, Effect, Metric, Option } from "effect"
import { beaconNodeConditions } from "../../../domain/network/BeaconNodeState.ts"
import { beaconNodes } from "../../../domain/metrics/Metrics.ts"
import { Doubts } from "../../../runtime/Doubts.ts"
import type { Member } from "./Member.ts"

/** What is said of several beacon nodes: in the log, as metrics, and as a doubt while none of them can be used. */
interface PoolReport {
  /** Another node is followed than before, or none. */
  readonly followed: (before: Member | undefined, after: Member | undefined) => Effect.Effect<void>
  /** To be run after each look at any of them. */
  readonly settled: (now: number) => Effect.Effect<void>
}

export const makePoolReport = Effect.fnUntraced(function* (members: ReadonlyArray<Member>) {
  const doubts = yield* Doubts
  const told = members.map(() => ({ condition: "well", at: -Infinity }))
  let noneSince = Infinity

  const tellOf = Effect.fnUntraced(function* ({ node, place, state }: Member, now: number) {
    const { condition, isKnown, reason } = state()
    // Another one was looked at before it.
    if (!isKnown) return
    const last = told[place]
    if (last === undefined || last.condition === condition || now - last.at < toldEveryMs) return
    told[place] = { condition, at: now }
    yield* condition === "well"
      ? Effect.logInfo(`the beacon node ${node.name} is well again`)
      : Effect.logWarning(`the beacon node ${node.name} is ${adjectives[condition]}: ${reason ?? ""}`)
  })

  const report: PoolReport = {
    followed: (before, after) => {
      if (after === undefined) return Effect.void
      if (before !== undefined)
        return Effect.logWarning(`following the beacon node ${after.node.name} from now on, not ${before.node.name}`)
      return after.place === 0
        ? Effect.logDebug(`following the beacon node ${after.node.name}`)
        : Effect.logWarning(`following the beacon node ${after.node.name}: those before it cannot be`)
    },
    settled: Effect.fnUntraced(function* (now) {
      yield* Effect.forEach(beaconNodeConditions, (condition) =>
        Metric.set(beaconNodes.of({ condition }), members.filter(({ state }) => state().condition === condition).length)
      )
      yield* Effect.forEach(members, (member) => tellOf(member, now), { discard: true })
      const isUsable = members.some(({ state }) => state().condition === "well" || state().condition === "behind")
      noneSince = isUsable ? Infinity : Math.min(noneSince, now)
      const doubt = now - noneSince >= Duration.toMillis(lasting) ? Option.some(describe(members)) : Option.none()
      yield* doubts.set("beacon_node", doubt)
    })
  }
  return report
})

/** A node that is restarted, or does not answer for a moment, is no reason to say that nobody is judged. */
const lasting = Duration.seconds(15)
const toldEveryMs = Duration.toMillis("1 minute")

const adjectives = {
  well: "well",
  unreachable: "not reached",
  unusable: "of no use",
  syncing: "not trusted",
  optimistic: "not trusted",
  execution_offline: "not trusted",
  behind: "behind",
  other_network: "not trusted",
  other_parameters: "not trusted"
} as const

/** Without addresses: `/readyz` tells everyone. */
const describe = (members: ReadonlyArray<Member>): string => {
  const faults = members.map(({ place, role, state }) => {
    const what = faultNames[state().condition]
    return members.length === 1 ? what : `${role === "main" ? `${place + 1}` : "backfill"}: ${what}`
  })
  const whom = members.length === 1 ? "the beacon node cannot be used" : "no beacon node can be used"
  return `${whom} (${faults.join("; ")}): peers are kept, and nobody is probed or judged until one can; /status says more`
}

const faultNames = {
  well: "well",
  unreachable: "not reached",
  unusable: "no Beacon API there",
  syncing: "syncing",
  optimistic: "optimistic",
  execution_offline: "its execution client is offline",
  behind: "behind",
  other_network: "of another network",
  other_parameters: "of another configuration"
} as const
