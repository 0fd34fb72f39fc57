/** Text from elsewhere as one short line of ASCII: a server refuses a batch for text that is not UTF-8. */
export const printable = (text: string, longest: number): string =>
  text
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, longest)
