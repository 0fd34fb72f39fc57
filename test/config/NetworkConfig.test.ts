import { SignableENR } from "@chainsafe/enr"
import { generateKeyPair } from "@libp2p/crypto/keys"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { bootnodesOf } from "../../src/config/NetworkConfig.ts"
import { parseConfig } from "../../src/config/ConfigFile.ts"
import { publicNodes } from "../../src/config/places/PublicNodes.ts"
import { networkNames } from "../../src/domain/network/NetworkName.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { enr } from "./fixtures.ts"

const lines = (text: string): ReadonlyArray<string> =>
  Either.match(parseConfig(text, "c.yaml"), { onLeft: (error) => error.lines, onRight: () => [] })
const bootnodes = (text: string) => bootnodesOf(Either.getOrThrow(parseConfig(text, "c.yaml")))

describe("the public nodes of a network", () => {
  it.each(networkNames)("of %s are good records of different nodes, and discovery can begin with each", (network) => {
    const { enrs, source } = publicNodes[network]
    assert.match(source, /^https:\/\/github\.com\/[^/]+\/[^/]+\/blob\/[0-9a-f]{40}\//)
    const peerIds = enrs.map((text) => Either.getOrThrow(decodeNodeRecord(text)).peerId)
    assert.isAtLeast(enrs.length, 8)
    assert.strictEqual(new Set(peerIds).size, enrs.length)
    // As the configuration would take them: with a UDP port.
    assert.deepStrictEqual(bootnodes(`bootnodes: [${enrs.join(", ")}]`), enrs)
  })
})

describe("bootnodesOf", () => {
  it("gives those that are set, else the public ones of the named network, else none", () => {
    assert.deepStrictEqual(bootnodes(""), [])
    assert.deepStrictEqual(bootnodes("network: hoodi"), publicNodes.hoodi.enrs)
    assert.deepStrictEqual(bootnodes(`{network: hoodi, bootnodes: [${enr}]}`), [enr])
    assert.deepStrictEqual(bootnodes("{network: hoodi, bootnodes: []}"), [])
  })
})

describe("the keys of the network", () => {
  it("say which names there are, which was meant, and what to do about another network", () => {
    const names = "expected one of mainnet, sepolia, hoodi, gnosis, chiado"
    assert.deepStrictEqual(lines("network: hodi"), [`c.yaml:1: network: ${names}, got "hodi" (did you mean hoodi?)`])
    assert.deepStrictEqual(lines("network: my-devnet"), [
      `c.yaml:1: network: ${names}, got "my-devnet" (for any other leave it out: its beacon node tells)`
    ])
  })

  it.effect("take no boot node that is there twice, cannot be read, or has no UDP port", () =>
    Effect.gen(function* () {
      const noUdp = SignableENR.createV4((yield* Effect.promise(() => generateKeyPair("secp256k1"))).raw)
      noUdp.ip = "192.0.2.7"
      noUdp.tcp = 9000
      const [twice = "", bad = "", deaf = ""] = lines(
        `bootnodes:\n  - ${enr}\n  - enr:-abc\n  - ${noUdp.encodeTxt()}\n`
      ).concat(lines(`bootnodes:\n  - ${enr}\n  - ${enr}\n`))
      assert.match(twice, /^c\.yaml:3: bootnodes\[1\]: not a valid ENR/)
      assert.match(bad, /^c\.yaml:4: bootnodes\[2\]: this ENR has no UDP port/)
      assert.match(deaf, /^c\.yaml:3: bootnodes\[1\]: the same node as entry 0 of the list/)
    })
  )
})
