import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, Redacted, Schema } from "effect"
import { type ConfigInput, spillFolderOf } from "../../src/config/Config.ts"
import { parseConfig } from "../../src/config/ConfigFile.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { XatuAddress } from "../../src/config/places/XatuAddress.ts"
import { isSecure, sentHeaders } from "../../src/config/XatuConfig.ts"

type XatuInput = NonNullable<ConfigInput["xatu"]>

const made = (xatu: XatuInput) => Either.map(makeConfig({ xatu }), ({ xatu }) => xatu)
const good = (xatu: XatuInput) => {
  const config = Either.getOrThrow(made(xatu))
  if (config === undefined) throw new Error("no section")
  return config
}
const complaintOf = (xatu: XatuInput): string => Either.getOrThrow(Either.flip(made(xatu))).message
const address = "xatu.example.org:8080"

describe("the section xatu", () => {
  it("is absent unless it is written, and then has these defaults", () => {
    assert.isUndefined(Either.getOrThrow(makeConfig({})).xatu)
    assert.deepStrictEqual(good({ address }), {
      address: { protocol: "grpc", secure: undefined, host: "xatu.example.org", port: 8080, path: "" },
      headers: {},
      name: "dasmon",
      batchSize: 512,
      flushInterval: Duration.seconds(5),
      queue: 51_200,
      spillLimitMib: 256
    })
    assert.strictEqual(spillFolderOf({ databasePath: "/a/b.db", xatu: good({ address }) }), "/a/b.db.xatu")
    assert.strictEqual(spillFolderOf({ databasePath: "b", xatu: good({ address, spillFolder: "/c" }) }), "/c")
  })

  it("reads an address: which protocol, whether with TLS, and where", () => {
    const cases: ReadonlyArray<readonly [string, boolean, string]> = [
      ["localhost:8080", false, "grpc localhost 8080 "],
      [" 10.1.2.3:1 ", false, "grpc 10.1.2.3 1 "],
      ["grpc://[::1]:8080", false, "grpc ::1 8080 "],
      ["GRPCS://xatu_server.example.org:443/", true, "grpc xatu_server.example.org 443 "],
      ["http://xatu", false, "http xatu 80 /v1/events"],
      ["https://xatu.example.org/", true, "http xatu.example.org 443 /v1/events"],
      ["https://xatu.example.org:8087/lab/v1/events", true, "http xatu.example.org 8087 /lab/v1/events"],
      ["https://xatu.example.org/lab/", true, "http xatu.example.org 443 /lab/v1/events"]
    ]
    for (const [text, secure, expected] of cases) {
      const config = good({ address: text })
      const { host, path, port, protocol } = config.address
      assert.strictEqual(`${protocol} ${host} ${port} ${path}`, expected)
      assert.strictEqual(isSecure(config), secure)
      const again = Schema.decodeSync(XatuAddress)(Schema.encodeSync(XatuAddress)(config.address))
      assert.deepStrictEqual(again, config.address)
    }
    assert.isTrue(isSecure(good({ address, tls: true })))
  })

  it("says what is wrong with an address, and how they look", () => {
    const form = "expected host:port, grpc://host:port, grpcs://host:port, http://host[:port] or https://host[:port]; "
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["xatu.example.org", "this one has no port (a Xatu server listens on 8080)"],
      ["grpcs://xatu.example.org", "this one has no port (a Xatu server listens on 8080)"],
      ["xatu:0", "there is no port 0"],
      ["xatu:99999", "there is no port 99999"],
      ["tcp://xatu:1", "this one begins with tcp://"],
      ["grpc://xatu:1/events", "an address for gRPC has no path"],
      ["http://", "this one has no host"],
      ["", "this one has no host"],
      ["https://me:secret@xatu", "user and password have keys of their own: username and password"]
    ]
    for (const [text, why] of cases) assert.strictEqual(complaintOf({ address: text }), `xatu.address: ${form}${why}`)
  })

  it("refuses what cannot be meant", () => {
    const cases: ReadonlyArray<readonly [Omit<XatuInput, "address"> & { readonly address?: string }, string]> = [
      [{ address: "grpc://a:1", tls: true }, "xatu.tls: contradicts the address, which is without TLS"],
      [{ address: "https://a", tls: false }, "xatu.tls: contradicts the address, which is with TLS"],
      [{ username: "me" }, "xatu.username: needs a password too"],
      [{ password: "x" }, "xatu.password: needs a username too"],
      [{ username: "a:b", password: "x" }, 'xatu.username: expected a user name, without a colon, got "a:b"'],
      [
        { username: "me", password: "x", headers: { Authorization: "y" } },
        "xatu.headers: username and password make the header authorization already"
      ],
      [
        { headers: { "Content-Type": "y" } },
        'xatu.headers: "Content-Type" is not the name of a header that can be set'
      ],
      [{ headers: { "a b": "y" } }, 'xatu.headers: "a b" is not the name of a header that can be set'],
      [{ headers: { "x-a": "y", "X-A": "z" } }, "xatu.headers: the header x-a is there twice"],
      [{ batchSize: 0 }, "xatu.batchSize: expected a whole number from 1 to 10000, got 0"],
      [{ queue: 99 }, "xatu.queue: expected a whole number from 100 to 1000000, got 99"],
      [{ queue: 200 }, "xatu.queue: 200 events, but one batch alone has up to 512"],
      [{ spillLimitMib: -1 }, "xatu.spillLimitMib: expected a whole number from 0 to 1048576, got -1"],
      [{ name: "two words" }, 'xatu.name: expected a name: up to 128 letters, digits and . - _ / : @, got "two words"']
    ]
    for (const [part, line] of cases) assert.strictEqual(complaintOf({ address, ...part }), line)
    const tooShort = complaintOf({ address, flushInterval: "1ms" })
    assert.match(tooShort, /^xatu\.flushInterval: expected a duration from 100ms to 5m/)
  })

  it("never shows a secret, neither a good one nor a bad one", () => {
    const secret = "c3cr3t"
    const config = good({ address, username: "me", password: secret, headers: { "X-Key": secret } })
    for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config), String(config.password)]) {
      assert.notInclude(text, secret)
    }
    assert.deepStrictEqual(sentHeaders(config), { "x-key": secret, authorization: "Basic bWU6YzNjcjN0" })
    assert.isTrue(config.password !== undefined && Redacted.isRedacted(config.password))
    const bad = complaintOf({ address, username: "me", password: `${secret}\n`, headers: { "X-Key": `${secret}ü` } })
    assert.notInclude(bad, secret)
    assert.include(bad, "xatu.password: expected a password of 1 to 4096 ASCII characters")
    assert.include(bad, "xatu.headers.X-Key: expected 1 to 4096 ASCII characters, in quotes")
  })

  it("is read from a file, where each mistake has its line", () => {
    const text = ["xatu:", "  tls: true", "  batch_sise: 3", "  headers:", "    X-Key: 12"].join("\n")
    const { message } = Either.getOrThrow(Either.flip(parseConfig(text, "a.yaml")))
    assert.deepStrictEqual(message.split("\n"), [
      "a.yaml:1: xatu.address: is required: the Xatu server, such as xatu.example.org:8080 or https://xatu.example.org",
      "a.yaml:3: xatu.batch_sise: unknown key (did you mean batch_size?)",
      "a.yaml:5: xatu.headers.X-Key: expected 1 to 4096 ASCII characters, in quotes"
    ])
    const file = `xatu: {address: "https://x", ca_file: ca.pem, spill_limit_mib: 0, flush_interval: 1s, network: hoodi}`
    const { xatu } = Either.getOrThrow(parseConfig(file, "a.yaml"))
    assert.deepInclude(xatu, {
      caFile: "ca.pem",
      spillLimitMib: 0,
      flushInterval: Duration.seconds(1),
      network: "hoodi"
    })
  })
})
