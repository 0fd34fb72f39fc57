import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { readFlags } from "../../../src/config/settings/Flags.ts"
import { settings } from "../../../src/config/settings/Setting.ts"

const read = (...parameters: ReadonlyArray<string>) => readFlags(parameters, ["--config", "--help"])
const values = (...parameters: ReadonlyArray<string>) => {
  const { complaints, given } = read(...parameters)
  assert.deepStrictEqual(complaints, [])
  return Object.fromEntries(given.map(({ from, value }) => [from, value]))
}

describe("readFlags", () => {
  it("reads a value of each kind, with = or behind a space, and leaves the rest to the command", () => {
    assert.deepStrictEqual(values("--workers", "8", "--agent=12", "--sampling-max-slots=3"), {
      "--agent": "12",
      "--workers": 8,
      "--sampling-max-slots": 3
    })
    assert.deepStrictEqual(values("--block-filter-start-slot", "-64"), { "--block-filter-start-slot": -64 })
    assert.deepStrictEqual(values("--metrics-enabled", "--trust-beacon-roots=false"), {
      "--metrics-enabled": true,
      "--trust-beacon-roots": false
    })
    assert.deepStrictEqual(values("--metrics-enabled", "false", "--xatu-tls", "true"), {
      "--metrics-enabled": false,
      "--xatu-tls": true
    })
    const { given, rest } = read(
      "--config",
      "a.yaml",
      "--workers",
      "8",
      "-h",
      "more",
      "--metrics-enabled",
      "true",
      "--help"
    )
    assert.deepStrictEqual(rest, ["--config", "a.yaml", "-h", "more", "--help"])
    assert.lengthOf(given, 2)
  })

  it("takes the entries of a list and of a map from several flags, and from one with commas", () => {
    assert.deepStrictEqual(values("--node-filter-exclude", "Prysm, Teku", "--node-filter-exclude=Nimbus"), {
      "--node-filter-exclude": ["Prysm", "Teku", "Nimbus"]
    })
    assert.deepStrictEqual(values("--peers="), { "--peers": [] })
    assert.deepStrictEqual(values("--gossip-columns", "3, 17"), { "--gossip-columns": [3, 17] })
    assert.deepStrictEqual(values("--gossip-columns", "all"), { "--gossip-columns": "all" })
    assert.deepStrictEqual(values("--gossip-columns", "any"), { "--gossip-columns": ["any"] })
    assert.deepStrictEqual(values("--xatu-headers", "X-One=a=b,X-Two=c", "--xatu-headers", "X-Three="), {
      "--xatu-headers": { "X-One": "a=b", "X-Two": "c", "X-Three": "" }
    })
  })

  it("names the flag in everything that is wrong, and never the value of a header", () => {
    const complaints = (...parameters: ReadonlyArray<string>) => read(...parameters).complaints
    assert.deepStrictEqual(complaints("--workerz", "3"), ["--workerz: there is no such flag (did you mean --workers?)"])
    assert.deepStrictEqual(complaints("--sampling.max-slots=3"), [
      "--sampling.max-slots: there is no such flag (did you mean --sampling-max-slots?)"
    ])
    assert.deepStrictEqual(read("--workerz", "3", "rest").rest, ["rest"], "its value is no argument")
    assert.match(complaints("--zzzzzzzzz").join(), /^--zzzzzzzzz: there is no such flag \(a flag is a key/)
    assert.deepStrictEqual(complaints("--confg", "a"), ["--confg: there is no such flag (did you mean --config?)"])
    const lacking = "--beacon-api: needs a value (--beacon-api=… takes any text for one)"
    assert.deepStrictEqual(complaints("--beacon-api"), [lacking])
    assert.deepStrictEqual(complaints("--beacon-api", "--network", "hoodi"), [lacking])
    assert.deepStrictEqual(complaints("--workers", "1", "--workers=2"), ["--workers: is given more than once"])
    assert.deepStrictEqual(complaints("--xatu-headers", "whisper"), [
      "--xatu-headers: expected NAME=VALUE, several with commas between them"
    ])
    assert.deepStrictEqual(complaints("--xatu-headers", "A=whisper,A=b"), ["--xatu-headers: gives one name twice"])
  })

  it("leaves what is no number or no switch to the schema", () => {
    assert.deepStrictEqual(values("--workers", "many", "--metrics-enabled=yes", "--metrics-port=1e3"), {
      "--workers": "many",
      "--metrics-enabled": "yes",
      "--metrics-port": "1e3"
    })
  })

  it("takes or leaves every argument, in order, whatever it is given", () => {
    const word = FastCheck.oneof(
      FastCheck.constantFrom(...settings.map(({ flag }) => flag), "--config", "--", "-x", "true", "--=", "-"),
      FastCheck.string({ maxLength: 8 })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(word, { maxLength: 8 }), (parameters) => {
        const { rest } = read(...parameters)
        let at = -1
        for (const text of rest) {
          at = parameters.indexOf(text, at + 1)
          assert.isAtLeast(at, 0)
        }
      }),
      { seed: 12, numRuns: 500 }
    )
  })
})
