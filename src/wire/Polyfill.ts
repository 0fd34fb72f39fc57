/**
 * Node 20 lacks `Promise.withResolvers`, which libp2p 3 needs while it is being imported: import this module before
 * anything of libp2p. Node 22 has it, and then nothing is done.
 */
interface Resolvers<A> {
  readonly promise: Promise<A>
  readonly resolve: (value: A | PromiseLike<A>) => void
  readonly reject: (reason: unknown) => void
}

if (!("withResolvers" in Promise)) {
  Object.defineProperty(Promise, "withResolvers", {
    configurable: true,
    writable: true,
    value: <A>(): Resolvers<A> => {
      let resolve: Resolvers<A>["resolve"] = () => {}
      let reject: Resolvers<A>["reject"] = () => {}
      const promise = new Promise<A>((yes, no) => {
        resolve = yes
        reject = no
      })
      return { promise, resolve, reject }
    }
  })
}
