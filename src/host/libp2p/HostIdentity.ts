import "../../wire/Polyfill.ts"
import { randomBytes } from "node:crypto"
import { dirname } from "node:path"
import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { privateKeyFromRaw } from "@libp2p/crypto/keys"
import { Effect, Either, Option, Schema } from "effect"
import { fromHex } from "../../domain/Bytes.ts"
import { messageOf } from "../../domain/Text.ts"

/** The file that holds our key cannot be used; `reason` says what to do about it. */
export class IdentityError extends Schema.TaggedError<IdentityError>()("IdentityError", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.path}: ${this.reason}`
  }
}

/**
 * The private key (32 bytes, secp256k1) in a file of 64 hexadecimal digits, made with a new key and for its owner only
 * if there is none, or nothing in it. Peers remember who we are by it.
 */
export const loadIdentity = Effect.fn("HostIdentity.load")(function* (path: string) {
  const text = yield* read(path)
  if (Option.isSome(text)) {
    if (text.value.trim() !== "") return yield* parse(path, text.value)
    yield* Effect.logWarning(`${path}: this file is empty, so a new identity is made`)
  }
  const key = newKey()
  yield* write(path, `${Buffer.from(key).toString("hex")}\n`)
  return key
})

const parse = (path: string, text: string): Either.Either<Uint8Array, IdentityError> =>
  Either.try({
    try: () => {
      const hex = text.trim()
      if (!/^(0x)?[0-9a-fA-F]{64}$/.test(hex)) throw new Error("not 64 hexadecimal digits")
      const key = fromHex(hex)
      if (privateKeyFromRaw(key).type !== "secp256k1") throw new Error("not a secp256k1 key")
      return key
    },
    catch: () =>
      new IdentityError({
        path,
        reason: "not a private key (64 hexadecimal digits, secp256k1); delete the file to get a new identity"
      })
  })

const read = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(path).pipe(
    Effect.asSome,
    Effect.catchAll((error) =>
      error._tag === "SystemError" && error.reason === "NotFound"
        ? Effect.succeedNone
        : Effect.fail(new IdentityError({ path, reason: `it cannot be read: ${reasonOf(error)}` }))
    )
  )
})

/** The whole file or none: one that holds half a key would end every later start. */
const write = Effect.fnUntraced(
  function* (path: string, text: string) {
    const fs = yield* FileSystem.FileSystem
    const beside = `${path}.tmp`
    yield* fs.makeDirectory(dirname(path), { recursive: true })
    yield* fs.remove(beside, { force: true })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(beside, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(new TextEncoder().encode(text))
        yield* file.sync
      })
    ).pipe(
      Effect.zipRight(fs.rename(beside, path)),
      Effect.onError(() => Effect.ignore(fs.remove(beside, { force: true })))
    )
  },
  (effect, path) =>
    Effect.mapError(effect, (error) => new IdentityError({ path, reason: `it cannot be written: ${reasonOf(error)}` }))
)

/** What the system said: the platform's own message names its call too. */
const reasonOf = (error: PlatformError): string => messageOf(error.cause ?? error)

/** Almost every number of 32 bytes is a key; zero and those from the order of the curve on are not. */
const newKey = (): Uint8Array => {
  const key = new Uint8Array(randomBytes(32))
  key[0] = (key[0] ?? 0) & 0x7f
  key[31] = (key[31] ?? 0) | 0x01
  return key
}
