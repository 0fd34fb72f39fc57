import { Clock, Duration, Effect, Either, Option, Schedule } from "effect"
import { Signatures } from "../bls/Signatures.ts"
import { canonicalBlock } from "../chain/CanonicalBlock.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { setNewest } from "../domain/Bounded.ts"
import { equalBytes, fromHex } from "../domain/Bytes.ts"
import { type Ruling, ruling, verdictOf } from "../domain/gossip/GossipRule.ts"
import type { Block } from "../domain/network/Block.ts"
import { epochOf, epochStart } from "../domain/network/Chain.ts"
import { headerSigningRoot } from "../domain/network/SigningRoot.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { GossipTruth } from "../host/GossipTruth.ts"
import type { Asker } from "./Asker.ts"
import { type CachedTruth, makeCachedTruth } from "./CachedTruth.ts"
import { makeHeaderPlaces } from "./HeaderPlaces.ts"
import { makeOnce } from "./Once.ts"

/** The signed header of a Fulu sidecar: the same in all sidecars of its block. */
export interface SignedHeader {
  readonly slot: Slot
  readonly proposerIndex: number
  readonly parentRoot: Root
  readonly blockRoot: Root
  /** 96 bytes. */
  readonly signature: Uint8Array
}

/** Judges headers and finds blocks, once for all columns of a block. */
export interface JudgeHeader {
  /**
   * For whom the header is judged: for its signer, where that is whoever is to propose in its slot by the chain that the
   * node follows, which only they can bring about; else for the peer that sent it. Or that it is not signed by the validator
   * that it names, or that too many wait for that.
   */
  readonly askerOf: (header: SignedHeader, sender: Sender) => Effect.Effect<Asker, Ruling>
  /**
   * The rules about proposer, signature and parent. `accepted` where all hold; `proposer_unchecked` where all others do. Waits
   * for the parent or the block for some seconds where they are not known yet.
   */
  readonly judge: (header: SignedHeader, asker: Asker) => Effect.Effect<Ruling>
  /** The canonical block of the slot, if it has this root; waits in the same way. */
  readonly awaitBlock: (place: { readonly slot: Slot; readonly blockRoot: Root }) => Effect.Effect<Option.Option<Block>>
  /** The slot of a block that the beacon node has, on whatever branch; none where that is not known. */
  readonly slotOf: (root: Root, asker: Asker) => Effect.Effect<Option.Option<Slot>>
}

/** Who sent something. */
export type Sender = Asker & { readonly _tag: "Peer" }

/**
 * Two ways lead to a verdict. Where the beacon node has imported the block itself, header and signature are compared with
 * it: all that the rules ask was checked by the node. Before that, which is when most columns come, the rules are checked
 * here, with the node's word about the parent and about who is to propose.
 */
export const makeJudgeHeader = Effect.gen(function* () {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const signatures = yield* Signatures
  const truth = Option.map(yield* GossipTruth, (questions) =>
    makeCachedTruth(chain, questions, {
      reorgs: () => commitments.replacedSince(Infinity).seen,
      headSlot: commitments.headSlot
    })
  )
  /** By root and signature. */
  const checked = new Map<string, boolean>()
  const judging = yield* makeOnce(crowded)
  const proving = yield* makeOnce<Proof>(Either.left(crowded))
  const places = { judging: makeHeaderPlaces(mostPending), proving: makeHeaderPlaces(mostPending) }
  const proven = new Map<string, Proof>()
  /** How many headers of a slot were held to be signed. */
  const signedOf = new Map<Slot, number>()
  const decided = new Map<string, Ruling>()

  const blockAt = ({ blockRoot, slot }: { readonly slot: Slot; readonly blockRoot: Root }) =>
    Effect.flatMap(commitments.headSlot, (head) =>
      head < slot ? Effect.succeedNone : canonicalBlock(commitments, blockRoot, slot)
    )

  const holds = (header: SignedHeader, publicKey: Uint8Array) => {
    const key = keyOf(header)
    const known = checked.get(key)
    if (known !== undefined) return Effect.succeed(known)
    const signingRoot = headerSigningRoot(chain, header.slot, fromHex(header.blockRoot))
    return Effect.tap(signatures.hold({ publicKey, signingRoot, signature: header.signature }), (holds) =>
      setNewest(checked, key, holds, mostDecided)
    )
  }

  /** By the block itself; none as long as it is not there. */
  const byBlock = (header: SignedHeader) =>
    Effect.map(
      blockAt(header),
      Option.flatMap(({ signature }) =>
        Option.map(signature, (signature) =>
          equalBytes(signature, header.signature)
            ? ruling("accepted", "")
            : ruling("signature", "the block with this header has another signature", { blockSignature: signature })
        )
      )
    )

  /** By the imported block, or the duties, which are known once an epoch: without a question about what the header says. */
  const prove = Effect.fnUntraced(function* (header: SignedHeader, sender: Sender) {
    const { proposerIndex, slot } = header
    const imported = Option.getOrUndefined(yield* byBlock(header))
    if (imported !== undefined) return imported.rule === "accepted" ? signedBy(proposerIndex) : Either.left(imported)
    if (Option.isNone(truth)) return unsigned
    const duties = yield* Effect.option(truth.value.proposers(epochOf(chain, slot), sender))
    const expected = Option.flatMap(duties, ({ bySlot }) => Option.fromNullable(bySlot.get(slot)))
    if (Option.isNone(expected) || expected.value.index !== proposerIndex) return unsigned
    const { publicKey } = expected.value
    return yield* holds(header, publicKey).pipe(
      Effect.map((isGood) => (isGood ? signedBy(proposerIndex) : Either.left(notSigned(header, publicKey)))),
      Effect.orElseSucceed(() => unsigned)
    )
  })

  const byRules = Effect.fnUntraced(function* (header: SignedHeader, truth: CachedTruth, asker: Asker) {
    const { parentRoot, proposerIndex, slot } = header
    const duties = yield* Effect.either(truth.proposers(epochOf(chain, slot), asker))
    const parent = yield* Effect.either(truth.block(parentRoot, asker))
    const known = Option.flatten(Either.getRight(parent))
    const fork = Option.isSome(known)
      ? yield* Effect.either(truth.forkPoint(known.value, asker))
      : Either.right(Option.none())
    const base = Option.flatten(Either.getRight(fork))
    const expected = Option.flatMap(Either.getRight(duties), ({ bySlot }) => Option.fromNullable(bySlot.get(slot)))
    const isDecided =
      Either.isRight(duties) &&
      Option.exists(base, ({ root, slot }) => slot >= duties.right.decidedAt || root === duties.right.dependentRoot)
    if (isDecided && Option.isSome(expected) && expected.value.index !== proposerIndex) {
      return ruling(
        "wrong_proposer",
        `it is of validator ${proposerIndex}, and ${expected.value.index} is to propose in slot ${slot}`
      )
    }

    // A node that does not answer is not asked for more.
    if (Either.isLeft(parent)) return ruling("ancestry_unchecked", parent.left.message)
    const key =
      Option.isSome(expected) && expected.value.index === proposerIndex
        ? Either.right(Option.some(expected.value.publicKey))
        : yield* Effect.either(truth.validatorKey(proposerIndex, asker))
    let unchecked = Option.none<Ruling>()
    if (Either.isLeft(key)) unchecked = Option.some(ruling("signature_unchecked", key.left.message))
    else if (Option.isNone(key.right)) {
      return ruling("proposer_index", `there is no validator ${proposerIndex}`)
    } else {
      const isGood = yield* Effect.either(holds(header, key.right.value))
      if (Either.isLeft(isGood)) unchecked = Option.some(ruling("signature_unchecked", isGood.left.reason))
      else if (!isGood.right) {
        return notSigned(header, key.right.value)
      }
    }

    if (Option.isNone(known)) return ruling("parent_unknown", `the beacon node does not have its parent ${parentRoot}`)
    if (slot <= known.value.slot) {
      return ruling("parent_slot", `it is of slot ${slot}, and its parent ${parentRoot} of slot ${known.value.slot}`)
    }
    if (Option.isNone(base)) {
      const reason = Either.isLeft(fork)
        ? fork.left.message
        : `where its parent ${parentRoot} leaves the chain is not known`
      return ruling("ancestry_unchecked", reason)
    }
    const finalized = Option.getOrUndefined(yield* commitments.finalized)
    if (
      finalized !== undefined &&
      base.value.root !== finalized.root &&
      base.value.slot < epochStart(chain, finalized.epoch)
    ) {
      return ruling(
        "finalized_ancestor",
        `its parent leaves the chain at slot ${base.value.slot}, before what is final since epoch ${finalized.epoch}`
      )
    }
    if (Option.isSome(unchecked)) return unchecked.value
    if (isDecided && Option.isSome(expected)) return ruling("accepted", "")
    return ruling(
      "proposer_unchecked",
      Either.isLeft(duties) ? duties.left.message : `who is to propose in slot ${slot} on its branch is not known`
    )
  })

  const look = (header: SignedHeader, asker: Asker) =>
    Effect.flatMap(
      byBlock(header),
      Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          Option.match(truth, {
            onSome: (truth) => byRules(header, truth, asker),
            onNone: () => Effect.succeed(ruling("signature_unchecked", "its block is not known yet"))
          })
      })
    )

  /** Until the head is another one, or a second later: then more may be known. */
  const change = Effect.flatMap(commitments.headSlot, (before) =>
    commitments.headSlot.pipe(
      Effect.repeat({ until: (head) => head !== before, schedule: Schedule.spaced(lookAgain) }),
      Effect.timeoutOption(patience)
    )
  )

  const untilKnown = <A>(look: Effect.Effect<A>, isKnown: (found: A) => boolean): Effect.Effect<A> =>
    Effect.gen(function* () {
      const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(blockLimit)
      let found = yield* look
      while (!isKnown(found) && (yield* Clock.currentTimeMillis) + Duration.toMillis(lookAgain) < end) {
        yield* change
        found = yield* look
      }
      return found
    })

  const askerOf = (header: SignedHeader, sender: Sender): Effect.Effect<Proof> =>
    Effect.suspend(() => {
      const key = keyOf(header)
      const known = proven.get(key)
      if (known !== undefined) return Effect.succeed(known)
      const find = prove(header, sender).pipe(
        Effect.map((proof) => {
          if (proof === unsigned) return proof
          if (Either.isRight(proof)) {
            // A proposer that signs many has strangers' places for the others.
            const count = signedOf.get(header.slot) ?? 0
            if (count >= mostOfSlot) return unsigned
            setNewest(signedOf, header.slot, count + 1, mostDecided)
          }
          setNewest(proven, key, proof, mostDecided)
          return proof
        })
      )
      return proving.find(key, () => places.proving.take(sender), find)
    })

  return {
    askerOf: (header, sender) =>
      Effect.flatMap(
        askerOf(header, sender),
        Either.map((asker) => asker ?? sender)
      ),
    judge: (header, asker) =>
      Effect.suspend(() => {
        const key = keyOf(header)
        const known = decided.get(key)
        if (known !== undefined) return Effect.succeed(known)
        const find = untilKnown(look(header, asker), (found) => verdictOf(found) !== "ignore").pipe(
          Effect.tap((found) => {
            if (verdictOf(found) !== "ignore") setNewest(decided, key, found, mostDecided)
          })
        )
        return judging.find(key, () => places.judging.take(asker), find)
      }),
    awaitBlock: (place) => untilKnown(blockAt(place), Option.isSome),
    slotOf: (root, asker) =>
      Option.match(truth, {
        onNone: () => Effect.succeedNone,
        onSome: (truth) =>
          Effect.map(Effect.option(truth.block(root, asker)), (found) =>
            Option.map(Option.flatten(found), ({ slot }) => slot)
          )
      })
  } satisfies JudgeHeader
})

/** Who has signed a header, or what is wrong with it; `undefined` where nobody knows. */
type Proof = Either.Either<Asker | undefined, Ruling>
const unsigned: Proof = Either.right(undefined)
const signedBy = (proposerIndex: number): Proof => Either.right({ _tag: "Signed", proposerIndex })

const notSigned = ({ proposerIndex }: SignedHeader, publicKey: Uint8Array): Ruling =>
  ruling("signature", `it is not signed by validator ${proposerIndex}, as it says`, { publicKey })

const crowded = ruling("crowded", "too many headers wait already, of its sender or of all")

const keyOf = ({ blockRoot, signature }: SignedHeader): string =>
  `${blockRoot}${Buffer.from(signature).toString("latin1")}`

const lookAgain = Duration.millis(100)
const patience = Duration.seconds(1)
/** For the beacon node to import the parent or the block, and to tell it. */
const blockLimit = Duration.seconds(6)
const mostDecided = 512
/** Of which nothing is known yet; an honest network has one or two. */
const mostPending = 64
const mostOfSlot = 3
