import { assert, describe, it } from "@effect/vitest"
import { codeOf, messageOf, oneLine, printable } from "../../src/domain/Text.ts"

describe("messageOf", () => {
  it("says something of whatever was thrown", () => {
    const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" })
    assert.strictEqual(messageOf(new Error("no")), "no")
    assert.strictEqual(messageOf(refused), "ECONNREFUSED")
    assert.strictEqual(messageOf(new AggregateError([refused, new Error("other")])), "ECONNREFUSED")
    assert.strictEqual(messageOf(new TypeError("")), "TypeError")
    assert.strictEqual(messageOf(new Event("close")), 'there was a "close"')
    assert.strictEqual(messageOf(Object.assign(new Event("close"), { error: new Error("reset") })), "reset")
    assert.strictEqual(messageOf("text"), "text")
    assert.strictEqual(messageOf(undefined), "undefined")
    assert.deepStrictEqual(
      [codeOf(refused), codeOf(new Error("no")), codeOf(null)],
      ["ECONNREFUSED", undefined, undefined]
    )
  })
})

describe("printable", () => {
  it("keeps letters of all scripts and nothing that moves the cursor, turns the writing or breaks a line", () => {
    assert.strictEqual(printable("Größe 漢字 🦓"), "Größe 漢字 🦓")
    assert.strictEqual(printable("a\r\n\tb\u001b[31mred\u202e\u0000"), "a b?[31mred??")
    assert.strictEqual(printable("half \ud800."), "half ?.")
  })

  it("cuts between characters, not inside one", () => {
    assert.strictEqual(printable("ab🦓🦓", 3), "ab🦓")
    assert.strictEqual(oneLine("  a \n b "), "a b")
  })
})
