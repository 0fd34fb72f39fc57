import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: "forks",
    // Importing libp2p and the SSZ types takes longer than most tests: once a process is enough.
    isolate: false,
    // Two cores: more workers than that only make the socket tests slower.
    maxWorkers: 2,
    minWorkers: 1
  }
})
