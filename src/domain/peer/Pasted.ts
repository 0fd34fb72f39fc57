/**
 * A node as it was pasted, without what came along: quotes, the comma or the hyphen of a list, and the line breaks that a
 * terminal or a letter has put into an ENR.
 */
export const pasted = (text: string): string => {
  const bare = text
    .trim()
    .replace(/^-\s+/, "")
    .replace(/,$/, "")
    .replace(/^(["'])(.*)\1$/s, "$2")
    .trim()
  return bare.startsWith("enr:") ? bare.replace(/\s+/g, "") : bare
}
