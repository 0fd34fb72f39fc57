import { assert, describe, it } from "@effect/vitest"
import { Duration, Either } from "effect"
import { defaultConfig } from "../../src/config/Config.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { udpEndpointOf } from "../../src/config/DiscoveryConfig.ts"

const complaints = (discovery: Parameters<typeof makeConfig>[0]["discovery"]) =>
  Either.match(makeConfig({ discovery: discovery ?? {} }), {
    onLeft: ({ message }) => message.split("\n"),
    onRight: () => []
  })

describe("the keys about discovery", () => {
  it("have defaults with which a user needs none of them", () => {
    assert.deepStrictEqual(defaultConfig.discovery, {
      discv5: true,
      listenAddresses: ["/ip4/0.0.0.0/udp/0"],
      externalAddresses: [],
      beaconPeers: true,
      beaconPeersInterval: Duration.seconds(30)
    })
  })

  it("take one address of each family, and say what is wrong with others", () => {
    assert.deepStrictEqual(complaints({ listenAddresses: ["/ip4/0.0.0.0/udp/9000", "/ip6/::/udp/9001"] }), [])
    assert.deepStrictEqual(
      complaints({
        listenAddresses: ["/ip4/0.0.0.0/udp/9000", "/ip4/127.0.0.1/udp/9001"],
        externalAddresses: ["203.0.113.7", "2001:db8::7", "2001:db8::8"]
      }),
      [
        "discovery.listenAddresses[1]: a second IPv4 address, beside entry 0",
        "discovery.externalAddresses[2]: a second IPv6 address, beside entry 1"
      ]
    )
    for (const text of [
      "/ip4/0.0.0.0/tcp/9000",
      "/ip4/0.0.0.0/udp/65536",
      "/ip4/::/udp/1",
      "/ip4/1.2.3.4/udp/1/quic-v1"
    ]) {
      assert.deepStrictEqual(complaints({ listenAddresses: [text] }), [
        `discovery.listenAddresses[0]: expected a multiaddr to listen on, like /ip4/0.0.0.0/udp/9000, got "${text}"`
      ])
    }
    assert.deepStrictEqual(complaints({ externalAddresses: ["example.org"] }), [
      'discovery.externalAddresses[0]: expected an IP address, got "example.org"'
    ])
  })

  it("advertise what an ENR can say", () => {
    assert.deepStrictEqual(
      complaints({
        advertise: [
          "/ip4/203.0.113.7/tcp/9000",
          "/ip4/203.0.113.7/udp/9000",
          "/ip4/203.0.113.7/udp/9001/quic-v1",
          "/ip6/2001:db8::7/udp/9001/quic-v1"
        ]
      }),
      []
    )
    assert.deepStrictEqual(
      complaints({
        advertise: ["/ip4/203.0.113.7/tcp/9000", "/ip4/203.0.113.8/udp/9000", "/ip4/203.0.113.7/tcp/9001"]
      }),
      [
        "discovery.advertise[1]: another IPv4 address than that of /ip4/203.0.113.7/tcp/9000: an ENR has one",
        "discovery.advertise[2]: a second port beside that of /ip4/203.0.113.7/tcp/9000: an ENR has one"
      ]
    )
    assert.strictEqual(complaints({ advertise: ["/ip4/203.0.113.7/tcp/0"] }).length, 1)
    assert.strictEqual(complaints({ advertise: ["/dns4/example.org/tcp/9000"] }).length, 1)
  })

  it("have a file that must not be one of our own", () => {
    assert.include(complaints({ enrFile: "dasmon.db" })[0] ?? "", "is the database")
    assert.include(complaints({ enrFile: "dasmon.db.key.enr" })[0] ?? "", "belongs to the private key")
  })

  it("say where discv5 listens", () => {
    assert.deepStrictEqual(udpEndpointOf("/ip6/::1/udp/0"), { host: "::1", port: 0 })
    assert.isUndefined(udpEndpointOf("/ip6/::1/tcp/0"))
  })
})
