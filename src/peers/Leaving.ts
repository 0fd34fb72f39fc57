/** Whether a peer is to go, so that others have their turn. Its actor alone changes it. */
export interface Leaving {
  /** It goes as soon as nothing is open: until then nothing new is asked of it. */
  readonly isWanted: () => boolean
  /** It goes at this moment: no probe begins any more. */
  readonly isOver: () => boolean
  readonly want: () => void
  readonly end: () => void
}

export const makeLeaving = (): Leaving => {
  let isWanted = false
  let isOver = false
  return {
    isWanted: () => isWanted,
    isOver: () => isOver,
    want: () => {
      isWanted = true
    },
    end: () => {
      isOver = true
    }
  }
}
