import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { crc32c } from "@node-rs/crc32"
import { ownThreadMs } from "../ThreadCpu.ts"

/** Milliseconds of CPU for what a column of so many bytes cannot do without: decryption, a copy and a checksum. */
export const floorMs = (bytes: number): number => {
  const key = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: 16 })
  const encrypted = cipher.update(randomBytes(bytes))
  cipher.final()
  const tag = cipher.getAuthTag()
  const column = (): number => {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 })
    decipher.setAuthTag(tag)
    const plain = new Uint8Array(decipher.update(encrypted))
    decipher.final()
    return crc32c(plain)
  }
  for (let nth = 0; nth < columns; nth++) column()
  const before = ownThreadMs()
  for (let nth = 0; nth < columns; nth++) column()
  return (ownThreadMs() - before) / columns
}

const algorithm = "chacha20-poly1305"
const columns = 2_000
