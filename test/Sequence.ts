import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * The order of the test files. What takes longest comes first, so that at the end no worker waits for the other: of a
 * fresh clone nobody knows yet how long a file takes. What loads the built package comes last: its metrics stay in the
 * process beside those of the sources, and have the same names.
 */
export class Sequence extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const usual = await super.sort(files)
    return usual.sort((a, b) => rankOf(a.moduleId) - rankOf(b.moduleId))
  }
}

const rankOf = (path: string): number => {
  if (path.includes("/test/e2e/") || path.endsWith("/Operations.test.ts")) return 0
  return path.includes("/test/entry/") ? 2 : 1
}
