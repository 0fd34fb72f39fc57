import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { addressGroup, hostOf } from "../../src/wire/AddressGroup.ts"

describe("addressGroup", () => {
  it.each([
    ["/ip4/192.0.2.7/tcp/9000", "192.0.2.7"],
    ["/ip4/192.0.2.7/udp/9000/quic-v1", "192.0.2.7"],
    ["/ip6/2001:db8:1:2:3:4:5:6/tcp/9000", "2001:db8:1:2::/64"],
    ["/ip6/2001:db8:1:2:ffff::1/tcp/1", "2001:db8:1:2::/64"],
    ["/ip6/2001:db8:1:3::1/tcp/1", "2001:db8:1:3::/64"],
    ["/ip6/2001:db8::1/tcp/1", "2001:db8:0:0::/64"],
    ["/ip6/::1/tcp/1", "0:0:0:0::/64"],
    ["/ip6/::ffff:192.0.2.7/tcp/1", "192.0.2.7"],
    ["/dns4/peer.example/tcp/9000", "no IP address"]
  ])("of %s is %s", (address, group) => {
    assert.strictEqual(addressGroup(multiaddr(address)), group)
  })
})

describe("hostOf", () => {
  it.each([
    ["/ip4/192.0.2.7/tcp/9000", "192.0.2.7"],
    ["/ip6/2001:db8:1:2:3:4:5:6/tcp/9000", "2001:db8:1:2::/64"],
    ["/ip4/127.0.0.1/tcp/9000", undefined],
    ["/ip4/172.17.0.1/tcp/9000", undefined],
    ["/ip6/::ffff:10.0.0.1/tcp/1", undefined],
    ["/ip6/fd00::1/tcp/1", undefined],
    ["/dns4/peer.example/tcp/9000", undefined]
  ])("of %s is %s", (address, host) => {
    assert.strictEqual(hostOf(multiaddr(address)), host)
  })
})
