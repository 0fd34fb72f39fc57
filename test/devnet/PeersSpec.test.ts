import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { defaultPeers, parsePeersSpec } from "../../src/devnet/PeersSpec.ts"
import { isHonest } from "../../src/devnet/profiles/Profiles.ts"

describe("the text that names peers", () => {
  it.each([
    ["honest:2,withhold:1", ["honest", "honest", "withhold"]],
    [" wrong-block , fresh:2", ["wrong-block", "fresh", "fresh"]],
    ["silent,honest:0", ["silent"]]
  ])("%s", (text, expected) => {
    assert.deepStrictEqual<ReadonlyArray<string>>(Either.getOrThrow(parsePeersSpec(text)), expected)
  })

  it.each([
    ["honest:2,liar:3", /no profile "liar"; there are honest, supernode, truncate, .*bad-gossip$/],
    ["toString", /no profile "toString"/],
    ["", /no profile ""/],
    ["honest:", /"honest:" is not of the form profile:count/],
    ["honest:-1", /not of the form/],
    ["honest:1.5", /not of the form/],
    ["honest:2:3", /not of the form/],
    ["honest:0", /at least one peer/],
    ["honest:150,silent:51", /201 peers are too many, at most 200/]
  ])("%j is refused", (text, message) => {
    const result = parsePeersSpec(text)
    assert.match(Either.isLeft(result) ? result.left.message : "", message)
  })

  it("has a default of 30 peers, and knows who of them is honest", () => {
    assert.strictEqual(defaultPeers.length, 30)
    assert.deepStrictEqual(
      [...new Set(defaultPeers.filter(isHonest))],
      ["honest", "supernode", "withheld-block", "late-gossip", "truncate", "fresh", "flap"]
    )
  })
})
