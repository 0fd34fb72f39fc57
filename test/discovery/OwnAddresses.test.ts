import { assert, describe, it } from "@effect/vitest"
import { toHex } from "../../src/domain/Bytes.ts"
import {
  addressEntries,
  ipText,
  reachMultiaddrs,
  reachOf,
  type Whereabouts
} from "../../src/discovery/record/OwnAddresses.ts"
import { ipBytes } from "../../src/wire/discv5/UdpEndpoint.ts"

const advertised = (parts: Partial<Whereabouts>) =>
  reachMultiaddrs(reachOf({ listening: [], sockets: [], external: [], observed: [], ...parts }))

const everywhere = {
  listening: [
    "/ip4/127.0.0.1/tcp/9000/p2p/16Uiu2HA",
    "/ip4/192.168.1.5/tcp/9000/p2p/16Uiu2HA",
    "/ip4/127.0.0.1/udp/9001/quic-v1",
    "/ip4/192.168.1.5/udp/9001/quic-v1",
    "/ip6/::1/tcp/9003",
    "/ip6/2001:db8::5/tcp/9003"
  ],
  sockets: [
    { host: "0.0.0.0", port: 9002 },
    { host: "::", port: 9004 }
  ]
}

describe("what is advertised", () => {
  it("is nothing while nobody has said where we are", () => {
    assert.deepStrictEqual(advertised(everywhere), [])
  })

  it("is what others see, with the port at which they see discv5", () => {
    const observed = [{ host: "203.0.113.7", port: 40_002 }]
    assert.deepStrictEqual(advertised({ ...everywhere, observed }), [
      "/ip4/203.0.113.7/udp/9001/quic-v1",
      "/ip4/203.0.113.7/tcp/9000",
      "/ip4/203.0.113.7/udp/40002"
    ])
  })

  it("is what the owner says rather than what others see", () => {
    assert.deepStrictEqual(
      advertised({
        ...everywhere,
        external: ["198.51.100.1", "2001:db8::1"],
        observed: [{ host: "203.0.113.7", port: 40_002 }]
      }),
      [
        "/ip4/198.51.100.1/udp/9001/quic-v1",
        "/ip4/198.51.100.1/tcp/9000",
        "/ip4/198.51.100.1/udp/9002",
        "/ip6/2001:db8::1/tcp/9003",
        "/ip6/2001:db8::1/udp/9004"
      ]
    )
  })

  it("has no port of libp2p where that listens on this machine only", () => {
    const listening = ["/ip4/127.0.0.1/tcp/9000"]
    const sockets = [{ host: "0.0.0.0", port: 9002 }]
    assert.deepStrictEqual(advertised({ listening, sockets, external: ["198.51.100.1"] }), [
      "/ip4/198.51.100.1/udp/9002"
    ])
    assert.deepStrictEqual(advertised({ listening, sockets: [{ host: "127.0.0.1", port: 9002 }] }), [
      "/ip4/127.0.0.1/tcp/9000",
      "/ip4/127.0.0.1/udp/9002"
    ])
    // Nobody on this machine is reached at the address of another network.
    const beyond = ["/ip4/192.168.1.5/tcp/9000"]
    assert.deepStrictEqual(advertised({ listening: beyond, sockets: [{ host: "127.0.0.1", port: 9002 }] }), [
      "/ip4/127.0.0.1/udp/9002"
    ])
  })

  it("is exactly what is listed, if something is", () => {
    const advertise = ["/ip4/203.0.113.7/tcp/30000", "/ip6/2001:db8::7/udp/30001/quic-v1"]
    assert.deepStrictEqual(advertised({ ...everywhere, external: ["198.51.100.1"], advertise }), [
      "/ip4/203.0.113.7/tcp/30000",
      "/ip6/2001:db8::7/udp/30001/quic-v1"
    ])
    assert.deepStrictEqual(advertised({ ...everywhere, external: ["198.51.100.1"], advertise: [] }), [])
  })

  it("has a key of an ENR for each part", () => {
    const entries = addressEntries(reachOf({ ...everywhere, external: ["198.51.100.1", "2001:db8::1"], observed: [] }))
    assert.deepStrictEqual(Object.fromEntries([...entries].map(([key, value]) => [key, toHex(value)])), {
      ip: "0xc6336401",
      quic: "0x2329",
      tcp: "0x2328",
      udp: "0x232a",
      ip6: "0x20010db8000000000000000000000001",
      tcp6: "0x232b",
      udp6: "0x232c"
    })
  })

  it("reads and writes addresses", () => {
    for (const text of ["0.0.0.0", "203.0.113.7", "::", "2001:db8::7"]) {
      assert.strictEqual(ipText(ipBytes(text)), text)
    }
  })
})
