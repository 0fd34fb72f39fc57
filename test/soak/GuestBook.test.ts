import { assert, describe, it } from "@effect/vitest"
import { complaintsIn, type GuestBook } from "../../scripts/soak/GuestBook.ts"

type Entry = GuestBook["data"][number]

const sanction = (kind: "strike" | "ban" | "goodbye", code?: number): Entry["sanctions"][number] => ({
  at: 0,
  peerId: "guest",
  kind,
  reason: "why",
  ...(code === undefined ? {} : { code })
})

const entry = (profile: string, sanctions: Entry["sanctions"], counts: Entry["counts"] = {}): Entry => ({
  profile,
  peerId: "host",
  sanctions,
  counts
})

describe("what strict peers hold against their guest", () => {
  it("is nothing where it was only a strike, a shutdown or a full house", () => {
    const kept = [sanction("strike"), sanction("goodbye", 1), sanction("goodbye", 129)]
    assert.deepStrictEqual(complaintsIn({ data: [entry("strikes", kept)] }), [])
  })

  it("is every ban, every further strike and every other Goodbye", () => {
    const thrownOut = [sanction("strike"), sanction("strike"), sanction("ban"), sanction("goodbye", 0)]
    assert.deepStrictEqual(complaintsIn({ data: [entry("strikes", thrownOut)] }), [
      "strikes (host) gave strike 2: why",
      "strikes (host): ban: why",
      "strikes (host): goodbye 0: why"
    ])
  })

  it("says that a peer slept", () => {
    const counts = { "answered blocks": 3, "answered columns": 3 }
    const data = [entry("asks-much", [], counts), entry("unwelcoming", [], { examined: 1 })]
    assert.deepStrictEqual(complaintsIn({ data }), ["asks-much (host) never did this: answered blobs"])
  })

  it("leaves out what other peers did: they are free to throw anybody out", () => {
    assert.deepStrictEqual(complaintsIn({ data: [entry("throttle", [sanction("goodbye", 250)])] }), [])
  })
})
