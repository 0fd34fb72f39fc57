import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../../src/cli/NodeVersion.ts"

describe("a version of Node", () => {
  it.each(["20.0.0", "20.20.2", "21.7.3", "22.0.0", "22.23.3", "24.0.0", "24.19.0", "24.21.0", "26.10.0", "100.0.0"])(
    "%s is let through",
    (version) => assert.isUndefined(refusal(version))
  )

  it.each(["0.10.48", "8.17.0", "16.20.2", "18.20.8", "19.9.0"])("%s is refused in one line", (version) => {
    assert.match(refusal(version) ?? "", new RegExp(`^dasmon: Node ${version} is too old: install Node 24[^\\n]*$`))
  })

  it("that runs this test is let through, and so is one that is not told in numbers", () => {
    assert.isUndefined(refusal(process.versions.node))
    assert.isUndefined(refusal("nightly"))
  })
})
