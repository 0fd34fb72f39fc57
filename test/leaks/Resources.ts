import { createHook } from "node:async_hooks"

/** A timer, or something of the operating system's, that is open at this moment. */
export interface Resource {
  readonly id: number
  /** What it is, for a person. */
  readonly what: string
  /** Unix milliseconds. */
  readonly madeAt: number
  /** The calls that made it, the innermost first; for a connection also those that made the listening socket. */
  readonly stack: ReadonlyArray<string>
}

/** All that is open and was made since this module was loaded, in the order in which it was made. */
export const openResources = (): ReadonlyArray<Resource> =>
  [...open].map(([id, made]) => ({
    id,
    madeAt: made.madeAt,
    what: nameOf(made),
    stack: [...framesOf(made), ...(made.by === undefined ? [] : framesOf(made.by))]
  }))

/**
 * The kinds that are looked at. What is not here ends by itself, such as promises and single reads; or Node tells of its
 * end only when it is collected, such as file handles.
 */
const names: Readonly<Record<string, string>> = {
  Timeout: "timer",
  TCPWRAP: "socket",
  TCPSERVERWRAP: "listening socket",
  UDPWRAP: "UDP socket",
  PIPEWRAP: "pipe",
  PIPESERVERWRAP: "listening pipe",
  PROCESSWRAP: "child process",
  MESSAGEPORT: "message port",
  FSEVENTWRAP: "file watcher",
  STATWATCHER: "file watcher",
  SIGNALWRAP: "signal handler"
}

interface Made {
  readonly type: string
  readonly madeAt: number
  readonly resource: WeakRef<object>
  /** Its `stack` is written out when it is read, which is what makes this cheap. */
  readonly trace: { readonly stack?: string }
  /** What it came out of: the listening socket of a connection. */
  readonly by: Made | undefined
}

// Of the process, as the resources are.
const open = new Map<number, Made>()

createHook({
  init: (id, type, trigger, resource) => {
    if (!(type in names)) return
    const usual = Error.stackTraceLimit
    Error.stackTraceLimit = framesKept
    const trace: { stack?: string } = {}
    Error.captureStackTrace(trace)
    Error.stackTraceLimit = usual
    open.set(id, {
      type,
      madeAt: performance.timeOrigin + performance.now(),
      resource: new WeakRef(resource),
      trace,
      by: open.get(trigger)
    })
  },
  destroy: (id) => void open.delete(id)
}).enable()

const framesKept = 40

const framesOf = ({ trace }: Made): ReadonlyArray<string> =>
  (trace.stack ?? "")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ""))

const nameOf = (made: Made): string => {
  // The ports of a worker close when it ends; that the worker itself is gone is known only when it is collected.
  if (made.type === "MESSAGEPORT" && framesOf(made).some((frame) => frame.startsWith("new Worker "))) return "worker"
  const name = names[made.type] ?? made.type
  const resource = made.resource.deref()
  if (made.type !== "Timeout" || resource === undefined) return name
  return `${name} of ${Math.round(Number(Reflect.get(resource, "_idleTimeout")))} ms`
}
