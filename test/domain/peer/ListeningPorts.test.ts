import { assert, describe, it } from "@effect/vitest"
import { listeningPorts } from "../../../src/domain/peer/ListeningPorts.ts"

const id = "/p2p/16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"

describe("listeningPorts", () => {
  it("gives the first port of each transport and family", () => {
    assert.deepStrictEqual(
      listeningPorts([
        `/ip4/127.0.0.1/udp/9001/quic-v1${id}`,
        `/ip4/192.0.2.1/udp/9003/quic-v1${id}`,
        `/ip4/127.0.0.1/tcp/9000${id}`,
        "/ip6/::1/tcp/9010",
        "/ip6/::1/udp/9011/quic-v1"
      ]),
      { quic: 9001, tcp: 9000, tcp6: 9010, quic6: 9011 }
    )
  })

  it("has none of what is not listened on, or is something else", () => {
    assert.deepStrictEqual(listeningPorts([]), {})
    assert.deepStrictEqual(listeningPorts([`/ip4/127.0.0.1/udp/9001${id}`, "/dns4/a/tcp/9000", "nonsense"]), {})
  })
})
