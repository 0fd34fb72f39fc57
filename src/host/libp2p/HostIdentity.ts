import "../../wire/Polyfill.ts"
import { randomBytes } from "node:crypto"
import { privateKeyFromRaw } from "@libp2p/crypto/keys"
import { Effect, Either, Option, Schema } from "effect"
import { fromHex } from "../../domain/Bytes.ts"
import { readPrivate, writePrivate } from "../../runtime/PrivateFile.ts"

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
 * if there is none. Peers remember who we are by it, so nobody becomes another one because a file was spoilt: that is an
 * error.
 */
export const loadIdentity = Effect.fn("HostIdentity.load")(
  function* (path: string) {
    const text = yield* readPrivate(path)
    if (Option.isSome(text)) return yield* parse(path, text.value)
    const key = newKey()
    yield* writePrivate(path, `${Buffer.from(key).toString("hex")}\n`)
    return key
  },
  (effect) => Effect.catchTag(effect, "PrivateFileError", ({ path, reason }) => new IdentityError({ path, reason }))
)

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
        reason:
          `${text.trim() === "" ? "it is empty and holds no private key" : "not a private key"} (64 hexadecimal digits, ` +
          "secp256k1); put the right file back, or delete this one to get a new identity"
      })
  })

/** Almost every number of 32 bytes is a key; zero and those from the order of the curve on are not. */
const newKey = (): Uint8Array => {
  const key = new Uint8Array(randomBytes(32))
  key[0] = (key[0] ?? 0) & 0x7f
  key[31] = (key[31] ?? 0) | 0x01
  return key
}
