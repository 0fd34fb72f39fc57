import { defineConfig } from "vitest/config"
import { Sequence } from "./test/Sequence.ts"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    // For what hangs: what a test waits for has limits of its own, which follow the load of the machine.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    sequence: { sequencer: Sequence },
    pool: "forks",
    // Importing libp2p and the SSZ types takes longer than most tests: once a process is enough.
    isolate: false,
    // Two cores: more workers than that only make the socket tests slower.
    maxWorkers: 2,
    minWorkers: 1
  }
})
