import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { secondIdentityFileOf } from "../../src/config/Config.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { secondListenOf } from "../../src/config/SecondIdentity.ts"

describe("the second identity of a configuration", () => {
  it("has its key beside the first, and listens at any free port of the same addresses", () => {
    const config = Either.getOrThrow(
      makeConfig({ databasePath: "/a/b.db", listenAddresses: ["/ip4/0.0.0.0/tcp/9000", "/ip6/::/tcp/9001"] })
    )
    assert.strictEqual(config.identities, 1)
    assert.strictEqual(secondIdentityFileOf(config), "/a/b.db.key.second")
    assert.deepStrictEqual(secondListenOf(config), ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"])
    const quic = ["/ip4/0.0.0.0/tcp/9000", "/ip4/0.0.0.0/tcp/9001", "/ip4/0.0.0.0/udp/9000/quic-v1"]
    assert.deepStrictEqual(secondListenOf({ listenAddresses: quic }), [
      "/ip4/0.0.0.0/tcp/0",
      "/ip4/0.0.0.0/udp/0/quic-v1"
    ])
    assert.deepStrictEqual(secondListenOf({ listenAddresses: quic, secondListenAddresses: [] }), [])
  })

  it("has an agent that can be read everywhere", () => {
    for (const secondAgent of ["", " x", "two\nlines", "é", "x".repeat(129)]) {
      assert.match(
        Either.getOrThrow(Either.flip(makeConfig({ secondAgent }))).message,
        /^secondAgent: expected 1 to 128 printable ASCII characters/
      )
    }
  })
})
