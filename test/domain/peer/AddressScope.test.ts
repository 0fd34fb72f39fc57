import { assert, describe, it } from "@effect/vitest"
import { scopeOf } from "../../../src/domain/peer/AddressScope.ts"

describe("the scope of an address", () => {
  it.each([
    ["/ip4/192.0.2.7/tcp/1", "far"],
    ["/ip4/172.32.0.1/tcp/1", "far"],
    ["/ip4/223.255.255.254/udp/1/quic-v1", "far"],
    ["/ip6/2001:db8:1:2::7/udp/1/quic-v1", "far"],
    ["/ip6/::ffff:192.0.2.7/tcp/1", "far"],
    ["/dns4/node.example/tcp/1", "far"],
    ["nonsense", "far"],
    ["/ip4/127.0.0.1/tcp/1", "near"],
    ["/ip4/10.1.2.3/tcp/1", "near"],
    ["/ip4/172.31.2.3/tcp/1", "near"],
    ["/ip4/192.168.2.3/tcp/1", "near"],
    ["/ip4/169.254.169.254/tcp/80", "near"],
    ["/ip4/100.64.0.1/tcp/1", "near"],
    ["/ip6/::1/tcp/1", "near"],
    ["/ip6/fd00::1/tcp/1", "near"],
    ["/ip6/fe80::1/tcp/1", "near"],
    ["/ip6/::ffff:127.0.0.1/tcp/1", "near"],
    ["/ip6/64:ff9b::a00:1/tcp/1", "near"],
    ["/ip4/0.0.0.0/tcp/1", "nowhere"],
    ["/ip4/0.1.2.3/tcp/1", "nowhere"],
    ["/ip4/224.0.0.1/udp/1/quic-v1", "nowhere"],
    ["/ip4/240.0.0.1/tcp/1", "nowhere"],
    ["/ip4/255.255.255.255/tcp/1", "nowhere"],
    ["/ip6/::/tcp/1", "nowhere"],
    ["/ip6/::2/tcp/1", "nowhere"],
    ["/ip6/ff02::1/tcp/1", "nowhere"],
    ["/ip6/::ffff:0.0.0.0/tcp/1", "nowhere"]
  ])("of %s is %s", (address, scope) => {
    assert.strictEqual(scopeOf(address), scope)
  })
})
