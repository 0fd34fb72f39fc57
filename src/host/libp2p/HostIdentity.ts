import "../../wire/Polyfill.ts"
import { privateKeyFromRaw } from "@libp2p/crypto/keys"
import { Effect, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { fromHex } from "../../domain/Bytes.ts"
import { codeOf, messageOf } from "../../domain/Text.ts"

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
 * if there is none. Peers remember who we are by it.
 */
export const loadIdentity = (path: string): Effect.Effect<Uint8Array, IdentityError> =>
  read(path).pipe(Effect.flatMap((text) => (text === undefined ? create(path) : parse(path, text))))

const parse = (path: string, text: string): Effect.Effect<Uint8Array, IdentityError> =>
  Effect.try({
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

const read = (path: string): Effect.Effect<string | undefined, IdentityError> =>
  Effect.tryPromise({ try: (signal) => readFile(path, { encoding: "utf8", signal }), catch: (error) => error }).pipe(
    Effect.catchAll((error) =>
      codeOf(error) === "ENOENT"
        ? Effect.succeed(undefined)
        : Effect.fail(new IdentityError({ path, reason: `it cannot be read: ${messageOf(error)}` }))
    )
  )

const create = (path: string): Effect.Effect<Uint8Array, IdentityError> =>
  Effect.suspend(() => {
    const key = newKey()
    return Effect.tryPromise({
      try: async (signal) => {
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, `${Buffer.from(key).toString("hex")}\n`, { mode: 0o600, flag: "wx", signal })
        return key
      },
      catch: (error) => new IdentityError({ path, reason: `it cannot be written: ${messageOf(error)}` })
    })
  })

/** Almost every number of 32 bytes is a key; zero and those from the order of the curve on are not. */
const newKey = (): Uint8Array => {
  const key = new Uint8Array(randomBytes(32))
  key[0] = (key[0] ?? 0) & 0x7f
  key[31] = (key[31] ?? 0) | 0x01
  return key
}
