import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { fromHex, sideBySide } from "../../src/domain/Bytes.ts"

const start = `85f3c30ba3e2${"00".repeat(38)}`

describe("sideBySide", () => {
  it.each([
    ["at the start", start, `95${start.slice(2)}`, "0x85f3c30ba3e2…", "0x95f3c30ba3e2…"],
    [
      "after it",
      `${start}aabbccddeeff11`,
      `${start}abbbccddeeff11`,
      "0x85f3c3…aabbccddeeff…",
      "0x85f3c3…abbbccddeeff… (they differ from byte 44 on)"
    ],
    ["at the end", `${start}01`, `${start}02`, "0x85f3c3…01", "0x85f3c3…02 (they differ from byte 44 on)"],
    ["by their lengths", start, `${start}02`, "0x85f3c3…", "0x85f3c3…02 (they differ from byte 44 on)"],
    ["nowhere", start, start, "0x85f3c30ba3e2…", "0x85f3c30ba3e2…"],
    ["in the last of what is short", "0102", "0103", "0x0102", "0x0103"]
  ] as const)("shortens two values that differ %s, so that it is seen", (_, a, b, one, other) => {
    assert.deepStrictEqual(sideBySide(fromHex(a), fromHex(b)), [one, other])
  })

  it("never shows the same of two that differ", () => {
    const bytes = FastCheck.uint8Array({ minLength: 48, maxLength: 48 })
    FastCheck.assert(
      FastCheck.property(bytes, FastCheck.nat(47), FastCheck.integer({ min: 1, max: 255 }), (a, place, by) => {
        const b = a.slice()
        b[place] = (b[place] ?? 0) ^ by
        const [one, other] = sideBySide(a, b)
        assert.notStrictEqual(one, other.replace(/ \(.*/, ""))
      }),
      { seed: 17 }
    )
  })
})
