/** A time that somebody else's clock said, and when by ours: all Unix milliseconds. */
export interface TimeAnswer {
  /** In whole seconds, cut off, as the `Date` of HTTP is. */
  readonly said: number
  /** Before the question, and after the answer. */
  readonly asked: number
  readonly answered: number
}

/** By how much the other clock is ahead of ours at least, or behind (negative); 0 where they may agree. In milliseconds. */
export const clockOffset = ({ answered, asked, said }: TimeAnswer): number => {
  const least = said - answered
  const most = said + 1000 - asked
  return least > 0 ? least : most < 0 ? most : 0
}
