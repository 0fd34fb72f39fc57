/** The forms in which the Beacon API gives a block. */
export type BodyFormat = "application/json" | "application/octet-stream"

/**
 * What a client prefers by its Accept header (RFC 9110): the highest q wins, JSON wins a tie. `undefined` if it wants
 * neither of both.
 */
export const preferredFormat = (accept: string): BodyFormat | undefined => {
  if (accept.trim() === "") return "application/json"
  const ranges = accept.split(",").map(parseRange)
  const quality = (format: BodyFormat): number =>
    ranges.find((range) => range.type === format)?.quality ??
    ranges.find((range) => range.type === "application/*")?.quality ??
    ranges.find((range) => range.type === "*/*")?.quality ??
    0
  const json = quality("application/json")
  const ssz = quality("application/octet-stream")
  if (json === 0 && ssz === 0) return undefined
  return ssz > json ? "application/octet-stream" : "application/json"
}

const parseRange = (text: string): { readonly type: string; readonly quality: number } => {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith("q="))
  const quality = q === undefined ? 1 : Number(q.slice(2))
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 }
}
