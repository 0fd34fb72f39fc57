import { assert, describe, it } from "@effect/vitest"
import { configKeys } from "../../../src/config/Config.ts"
import { settings } from "../../../src/config/settings/Setting.ts"

const named = (path: string) => settings.find((setting) => setting.path.join(".") === path)

describe("the settings", () => {
  it("are all keys of the configuration, each with a flag and a variable of its own", () => {
    const keys = [...configKeys].flatMap(([key, inner]) => inner?.map((name) => `${key}.${name}`) ?? [key])
    assert.deepStrictEqual(
      settings.map(({ key }) => key.join(".")),
      keys
    )
    assert.strictEqual(new Set(settings.map(({ flag }) => flag)).size, keys.length)
    assert.strictEqual(new Set(settings.map(({ variable }) => variable)).size, keys.length)
    for (const { flag, variable } of settings) {
      assert.match(flag, /^--[a-z0-9]+(-[a-z0-9]+)*$/)
      assert.match(variable, /^DASMON_[A-Z0-9]+(_[A-Z0-9]+)*$/)
    }
  })

  it("are called like their keys, and know of what kind they are", () => {
    const about = (path: string) => {
      const setting = named(path)
      return [setting?.flag, setting?.variable, setting?.kind]
    }
    assert.deepStrictEqual(about("beacon_api").slice(0, 2), ["--beacon-api", "DASMON_BEACON_API"])
    assert.deepStrictEqual(about("sampling.max_slots"), ["--sampling-max-slots", "DASMON_SAMPLING_MAX_SLOTS", "number"])
    assert.deepStrictEqual(about("xatu.spill_limit_mib")[0], "--xatu-spill-limit-mib")
    const kinds: Readonly<Record<string, string>> = {
      network: "text",
      bandwidth_limit: "text",
      "sampling.slot_bias": "text",
      "http.token": "text",
      identities: "number",
      "block_filter.start_slot": "number",
      trust_beacon_roots: "switch",
      "xatu.tls": "switch",
      peers: "list",
      bootnodes: "list",
      second_listen_addresses: "list",
      "http.allowed_origins": "list",
      "node_filter.include": "list",
      "xatu.headers": "map"
    }
    for (const [path, kind] of Object.entries(kinds)) assert.strictEqual(named(path)?.kind, kind, path)
  })
})
