import type { Resource } from "./Resources.ts"

/** Whether a resource that is left is nobody's fault, or nothing can be done about it. */
export const isAllowed = ({ stack }: Resource): boolean => {
  const outside = outsideOf(stack)
  return (
    // Made by the test runner for itself: messages to the parent process, limits of tests and hooks.
    isRunner(outside[0] ?? "") ||
    // The wait of the leak check itself.
    outside.some((frame) => frame.includes("/test/leaks/Leaks.ts")) ||
    // `AbortSignal.timeout` cannot be called off. It holds nothing up, keeps nothing alive, and runs out by itself.
    stack.some((frame) => frame.includes("timeout (node:internal/abort_controller")) ||
    // The datastore of libp2p makes one channel for the locks of the whole process, once, and never closes it.
    outside.some((frame) => frame.includes("/node_modules/mortice/src/node.ts"))
  )
}

/** The calls outside of Node itself. */
export const outsideOf = (stack: ReadonlyArray<string>): ReadonlyArray<string> =>
  stack.filter((frame) => !frame.includes("node:") && !frame.includes("/test/leaks/Resources.ts"))

/** Whether a call is one of the test runner's own. */
export const isRunner = (frame: string): boolean => runner.test(frame)

const runner = /\/node_modules\/(?:@vitest|vitest|tinypool|vite-node|birpc)\//
