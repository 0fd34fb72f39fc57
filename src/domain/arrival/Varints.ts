/** Numbers from 0 to 2^53-1 as LEB128, one behind the other. */
export const encodeVarints = (values: ReadonlyArray<number>): Uint8Array => {
  const bytes: Array<number> = []
  for (const value of values) {
    let left = value
    while (left >= 0x80) {
      bytes.push((left % 0x80) + 0x80)
      left = Math.floor(left / 0x80)
    }
    bytes.push(left)
  }
  return Uint8Array.from(bytes)
}

/** `undefined` for bytes that are none. */
export const decodeVarints = (bytes: Uint8Array): ReadonlyArray<number> | undefined => {
  const values: Array<number> = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale
    if (value > Number.MAX_SAFE_INTEGER) return undefined
    if (byte >= 0x80) scale *= 0x80
    else {
      values.push(value)
      value = 0
      scale = 1
    }
  }
  return scale === 1 ? values : undefined
}
