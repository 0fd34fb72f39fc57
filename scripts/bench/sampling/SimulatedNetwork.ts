import { numberOfColumns } from "../../../src/domain/network/Chain.ts"
import type { ClientFamily } from "../../../src/domain/peer/ClientFamily.ts"
import type { SimulatedWitness } from "./SimulateBlock.ts"

/** Clients in about the shares that they have. */
const families: ReadonlyArray<ClientFamily> = [
  ...Array.from({ length: 5 }, (): ClientFamily => "lighthouse"),
  ...Array.from({ length: 3 }, (): ClientFamily => "prysm"),
  "teku",
  "teku",
  "nimbus",
  "lodestar",
  "grandine"
]

/** Honest peers that answer at once, one in ten of them a supernode. */
export const honestNetwork = (size: number, draw: () => number): ReadonlyArray<SimulatedWitness> =>
  Array.from({ length: size }, (_, index) => ({
    peerId: `peer ${index}`,
    family: families[Math.floor(draw() * families.length)] ?? "other",
    group: `10.0.${Math.floor(draw() * 200)}.0`,
    score: draw(),
    columns: new Set(index % 10 === 0 ? allColumns : drawn(4 + Math.floor(draw() * 9), draw)),
    answers: 50 + draw() * 400,
    hasFrom: () => 0,
    hides: () => false,
    reachesAt: 4_000 + draw() * 10_000
  }))

/** The same peers in trouble, each in its own way: none of it is the block's. */
export const troubled = (
  peers: ReadonlyArray<SimulatedWitness>,
  share: number,
  draw: () => number
): ReadonlyArray<SimulatedWitness> =>
  peers.map((peer): SimulatedWitness => {
    if (draw() >= share) return peer
    switch (Math.floor(draw() * 5)) {
      case 0:
        return { ...peer, answers: "never" }
      case 1:
        return { ...peer, answers: "refuses" }
      case 2:
        return { ...peer, answers: draw() * 20_000 }
      case 3: {
        const lateBy = draw() * 60_000
        return { ...peer, hasFrom: (column) => (column % 2 === 0 ? lateBy : 0) }
      }
      default:
        return { ...peer, reachesAt: Infinity }
    }
  })

/** So many columns, drawn without replacement. */
export const drawn = (count: number, draw: () => number): ReadonlySet<number> => {
  const columns = new Set<number>()
  while (columns.size < count) columns.add(Math.floor(draw() * numberOfColumns))
  return columns
}

const allColumns = Array.from({ length: numberOfColumns }, (_, column) => column)
