#!/usr/bin/env node
import { refusal } from "./cli/NodeVersion.ts"
import { keepHeapSmall } from "./cli/SmallHeap.ts"

const reason = refusal(process.versions.node)
if (reason === undefined) {
  keepHeapSmall()
  // Whatever is imported statically is loaded before anything can be said.
  void import("./cli/Start.ts")
} else {
  console.error(reason)
  process.exitCode = 2
}
