import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { parse } from "yaml"
import { parseConfig } from "../../src/config/ConfigFile.ts"
import { showConfig } from "../../src/config/ShowConfig.ts"

const text = `
beacon_api: http://operator:hunter2@beacon.example:5052
test_interval: 90s
http: {token: tell-nobody}
xatu:
  address: https://xatu.example.org
  username: me
  password: "quiet please"
  headers: {X-Secret: whisper}
`

describe("showConfig", () => {
  it("fills in what was not set, keeps the rest as it was given, and hides every secret", () => {
    const shown = showConfig(Either.getOrThrow(parseConfig(text, "c.yaml")))
    for (const secret of ["hunter2", "tell-nobody", "quiet please", "whisper"]) assert.notInclude(shown, secret)
    const written = parse(shown)
    assert.strictEqual(written.beacon_api, "http://operator:********@beacon.example:5052")
    const several = showConfig(
      Either.getOrThrow(parseConfig("beacon_api: [http://a.example:1, http://me:hunter2@b.example]", "c.yaml"))
    )
    assert.deepStrictEqual(parse(several).beacon_api, ["http://a.example:1", "http://me:********@b.example"])
    assert.strictEqual(written.trust_beacon_roots, false)
    assert.strictEqual(written.test_interval, "1m30s")
    assert.deepStrictEqual(written.http, { token: "********", allowed_origins: [], allowed_hosts: [] })
    assert.strictEqual(written.sampling_strategy.history_window, "18d")
    assert.strictEqual(written.xatu.username, "me")
    assert.strictEqual(written.xatu.password, "********")
    assert.deepStrictEqual(Object.values(written.xatu.headers), ["********"])
  })

  it("says behind each value where it comes from, and still is the YAML of a file", () => {
    const file =
      "sampling: {max_slots: 3}\nnode_filter: {exclude: [Prysm]}\nagent: 'a # b'\nxatu: {address: 'x:1', headers: {A: b}}\n"
    const config = Either.getOrThrow(parseConfig(file, "c.yaml"))
    const shown = showConfig(config, (path) => `from\n${path.join("/")}`)
    for (const line of [
      "workers: 4 # from workers",
      "  max_slots: 3 # from sampling/max_slots",
      "  exclude: # from node_filter/exclude",
      "  include: # from node_filter/include",
      "agent: 'a # b' # from agent",
      "  headers: # from xatu/headers",
      "peers: # from peers"
    ]) {
      assert.include(shown.replaceAll('"', "'").split("\n"), line)
    }
    assert.deepStrictEqual(parse(shown), parse(showConfig(config)))
  })

  it("can be read again as it is", () => {
    const config = parseConfig("workers: 7\nnode_filter: {exclude: [Prysm]}\nblock_filter: {start_slot: -64}", "c.yaml")
    assert.deepStrictEqual(
      Either.flatMap(config, (config) => parseConfig(showConfig(config), "again")),
      config
    )
  })
})
