import { createServer, type ServerResponse } from "node:http"
import { ssz } from "@lodestar/types"
import { fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { headerRoot } from "../../../src/host/beacon-api/BeaconBlock.ts"

/**
 * A beacon node in a process of its own that has `slots` blinded Fulu blocks of `commitments` blobs each, every twentieth slot
 * empty: `node ServeBlocks.js SLOTS COMMITMENTS`. Prints its URL.
 */
const [slots = 0, commitments = 0] = process.argv.slice(2).map(Number)

const block = ssz.fulu.SignedBlindedBeaconBlock.defaultValue()
block.message.body.blobKzgCommitments = Array.from({ length: commitments }, (_, row) =>
  new Uint8Array(48).fill(row + 1)
)
const bodyRoot = ssz.fulu.BlindedBeaconBlockBody.hashTreeRoot(block.message.body)
const template = ssz.fulu.SignedBlindedBeaconBlock.serialize(block)
/** An offset of 4 bytes and the signature stand before the message: slot, proposer, parent. */
const slotAt = 100
const parentAt = slotAt + 16

const zeroRoot = `0x${"00".repeat(32)}`
const isEmpty = (slot: number): boolean => slot % 20 === 7
const roots: Array<string | undefined> = []
const parents: Array<string> = []
const bySlot = new Map<string, number>()
let parent = zeroRoot
for (let slot = 0; slot < slots; slot++) {
  parents.push(parent)
  if (isEmpty(slot)) {
    roots.push(undefined)
    continue
  }
  parent = headerRoot({
    slot,
    proposerIndex: 0,
    parentRoot: fromHex(parent),
    stateRoot: new Uint8Array(32),
    bodyRoot
  })
  roots.push(parent)
  bySlot.set(parent, slot)
}
let head = slots - 1
while (roots[head] === undefined) head--

const slotSeconds = 12
const genesisTime = Math.floor(Date.now() / 1000) - head * slotSeconds
let requests = 0

const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}
const notFound = (response: ServerResponse): void => json(response, { code: 404, message: "not found" }, 404)

const header = (response: ServerResponse, slot: number | undefined): void => {
  const root = slot === undefined ? undefined : roots[slot]
  if (slot === undefined || root === undefined) return notFound(response)
  const message = {
    slot: String(slot),
    proposer_index: "0",
    parent_root: parents[slot],
    state_root: zeroRoot,
    body_root: toHex(bodyRoot)
  }
  json(response, { data: { root, canonical: true, header: { message, signature: `0x${"00".repeat(96)}` } } })
}

const forks = ["ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU"]
const spec = Object.fromEntries([
  ["CONFIG_NAME", "bench"],
  ["PRESET_BASE", "mainnet"],
  ["SECONDS_PER_SLOT", String(slotSeconds)],
  ["MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS", "4096"],
  ...forks.flatMap((fork, index) => [
    [`${fork}_FORK_EPOCH`, "0"],
    [`${fork}_FORK_VERSION`, `0x0${index + 1}0000ff`]
  ])
])

const server = createServer((request, response) => {
  const path = (request.url ?? "").replace(/\?.*/, "")
  const id = path.split("/").at(-1) ?? ""
  if (path.includes("blocks/")) {
    requests++
    const slot = Number(id)
    if (roots[slot] === undefined) return notFound(response)
    const bytes = Buffer.from(template)
    bytes.writeBigUInt64LE(BigInt(slot), slotAt)
    bytes.set(fromHex(parents[slot] ?? zeroRoot), parentAt)
    response.writeHead(200, { "content-type": "application/octet-stream", "eth-consensus-version": "fulu" })
    response.end(bytes)
  } else if (path.endsWith("/headers/head")) header(response, head)
  else if (path.includes("/headers/")) header(response, id.startsWith("0x") ? bySlot.get(id) : Number(id))
  else if (path.endsWith("/genesis")) {
    json(response, {
      data: {
        genesis_time: String(genesisTime),
        genesis_validators_root: `0x${"07".repeat(32)}`,
        genesis_fork_version: "0x000000ff"
      }
    })
  } else if (path.endsWith("/spec")) json(response, { data: spec })
  else if (path.endsWith("/syncing")) {
    json(response, {
      data: { head_slot: String(head), sync_distance: "0", is_syncing: false, is_optimistic: false, el_offline: false }
    })
  } else if (path.endsWith("finality_checkpoints")) {
    const epoch = Math.floor(head / 32) - 2
    json(response, { data: { finalized: { epoch: String(epoch), root: roots[epoch * 32] ?? zeroRoot } } })
  } else if (path.endsWith("/events")) {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.flushHeaders()
  } else if (path === "/requests") json(response, requests)
  else notFound(response)
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`)
})
