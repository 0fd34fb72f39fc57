import { assert, describe, it } from "@effect/vitest"
import {
  type Evasion,
  isEvasive,
  noEvasion,
  withConversation,
  withDelivery,
  withFollowUp,
  withQuestion
} from "../../../src/domain/peer/Evasion.ts"
import { uniform } from "../../../src/sampler/Uniform.ts"

const spacingMs = 600_000

/** Chances that an outage begins, and that it goes on, from one conversation to the next. */
interface Outages {
  readonly begin: number
  readonly lasts: number
}

/** Whether a peer whose trouble has nothing to do with what it is asked is called evasive within so many questions. */
const isAccused = (random: () => number, { begin, lasts }: Outages, questions: number): boolean => {
  const trouble = random() ** 3 * 0.9
  const talks = 1 + Math.floor(random() * 4)
  let isOut = false
  let evasion = noEvasion
  for (let question = 1; question <= questions; question++) {
    for (let talk = 0; talk < talks; talk++) {
      isOut = random() < (isOut ? lasts : begin)
      // Who does not answer is left alone for longer.
      if (isOut && talk > 1) continue
      evasion = withConversation(evasion, random() < (isOut ? 0.95 : trouble))
    }
    evasion = withQuestion(evasion, random() < (isOut ? 0.95 : trouble), question * spacingMs, spacingMs)
    if (isEvasive(evasion)) return true
  }
  return false
}

describe("an honest peer in trouble", () => {
  for (const [name, outages] of [
    ["trouble of its own rate at any time", { begin: 0, lasts: 0 }],
    ["outages of minutes", { begin: 0.02, lasts: 0.7 }],
    ["outages of hours", { begin: 0.003, lasts: 0.99 }]
  ] as const) {
    it(`is called evasive in fewer than one of 10,000 cases: ${name}`, () => {
      const random = uniform(12_345)
      const peers = 8000
      let accused = 0
      for (let peer = 0; peer < peers; peer++) if (isAccused(random, outages, 40)) accused++
      assert.isBelow(accused, peers / 10_000)
    })
  }

  it("is not called so for a bad night, however much was said since", () => {
    let evasion: Evasion = noEvasion
    for (let question = 1; question <= 40; question++) {
      const isOut = question > 10 && question <= 25
      for (let talk = 0; talk < 60; talk++) evasion = withConversation(evasion, isOut)
      evasion = withQuestion(evasion, isOut, question * spacingMs, spacingMs)
      assert.isFalse(isEvasive(evasion), `after question ${question}`)
    }
  })
})

describe("a question by root at once", () => {
  const minute = 60_000

  it("counts once within confirm_after, and takes no other question's place", () => {
    const start = 10 * spacingMs
    let evasion = withFollowUp(noEvasion, false, start, spacingMs)
    evasion = withFollowUp(evasion, true, start + minute, spacingMs)
    evasion = withQuestion(evasion, true, start + 2 * minute, spacingMs)
    assert.deepInclude(evasion, { asked: 2, escaped: 1, countedAt: start + 2 * minute })
    assert.deepInclude(withFollowUp(evasion, true, start + spacingMs, spacingMs), { asked: 3, escaped: 2 })
  })

  it("finds out one that escapes only then, and one that escapes only later", () => {
    for (const isAtOnce of [true, false]) {
      let evasion: Evasion = noEvasion
      let questions = 0
      while (!isEvasive(evasion) && questions < 60) {
        questions++
        for (let talk = 0; talk < 5; talk++) evasion = withConversation(evasion, false)
        evasion = withFollowUp(evasion, isAtOnce, questions * spacingMs, spacingMs)
        evasion = withQuestion(evasion, !isAtOnce, questions * spacingMs + minute, spacingMs)
      }
      assert.isBelow(questions, 30)
    }
  })

  it("that an honest peer limits every time does not make it evasive: it brings what it has when asked again", () => {
    let evasion: Evasion = noEvasion
    for (let question = 1; question <= 100; question++) {
      for (let talk = 0; talk < 5; talk++) evasion = withConversation(evasion, false)
      evasion = withFollowUp(evasion, true, question * spacingMs, spacingMs)
      assert.isFalse(isEvasive(evasion))
      evasion = withQuestion(withDelivery(evasion), false, question * spacingMs + minute, spacingMs)
      assert.isFalse(isEvasive(evasion))
    }
    assert.strictEqual(evasion.escaped, 0)
  })

  it("is escaped by an honest peer in trouble no more often than its other conversations come to nothing", () => {
    const random = uniform(99)
    let accused = 0
    for (let peer = 0; peer < 3000; peer++) {
      const trouble = random() ** 3 * 0.9
      let evasion: Evasion = noEvasion
      for (let question = 1; question <= 40 && !isEvasive(evasion); question++) {
        for (let talk = 0; talk < 3; talk++) evasion = withConversation(evasion, random() < trouble)
        evasion = withFollowUp(evasion, random() < trouble, question * spacingMs, spacingMs)
        evasion = withQuestion(evasion, random() < trouble, question * spacingMs + minute, spacingMs)
      }
      if (isEvasive(evasion)) accused++
    }
    assert.strictEqual(accused, 0)
  })
})

describe("a peer that escapes", () => {
  /** Questions until it is found out, of the unluckiest but four of 400 that escape this share of them. */
  const questionsUntilFound = (share: number): number => {
    const random = uniform(7)
    const needed = Array.from({ length: 400 }, () => {
      let evasion: Evasion = noEvasion
      for (let question = 1; question <= 500; question++) {
        for (let talk = 0; talk < 5; talk++) evasion = withConversation(evasion, random() < 0.02)
        evasion = withQuestion(evasion, random() < share, question * spacingMs, spacingMs)
        if (isEvasive(evasion)) return question
      }
      return Infinity
    })
    return needed.toSorted((a, b) => a - b)[395] ?? Infinity
  }

  for (const [share, within] of [
    [1, 10],
    [0.75, 24],
    [0.5, 90],
    [0.35, 480]
  ] as const) {
    it(`from ${share * 100}% of the questions is found out within ${within} of them`, () => {
      assert.isAtMost(questionsUntilFound(share), within)
    })
  }

  it("escapes once within one confirm_after, however often it is asked", () => {
    let evasion = noEvasion
    for (let at = spacingMs; at < 2 * spacingMs; at += 1000) evasion = withQuestion(evasion, true, at, spacingMs)
    assert.deepInclude(evasion, { asked: 1, escaped: 1 })
    assert.isFalse(isEvasive({ ...noEvasion, asked: 5, escaped: 5, ordinary: 64 }))
    assert.isTrue(isEvasive({ ...noEvasion, asked: 6, escaped: 6, ordinary: 64 }))
  })

  it("answers for long, and what was is forgotten", () => {
    let evasion: Evasion = { ...noEvasion, asked: 16, escaped: 16, ordinary: 32 }
    assert.isTrue(isEvasive(evasion))
    let questions = 0
    while (isEvasive(evasion)) {
      assert.isBelow(++questions, 100)
      evasion = withQuestion(withConversation(evasion, false), false, questions * spacingMs, spacingMs)
    }
    assert.isAbove(questions, 4)
  })
})
