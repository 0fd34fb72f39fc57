import { existsSync } from "node:fs"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer } from "effect"
import { findInBook } from "../history/report/ReportBook.ts"
import * as ReportsInline from "../history/report/ReportsInline.ts"
import { makeFindPeer } from "../host/beacon-api/FindPeer.ts"
import * as LocatePeer from "../scan/target/LocatePeer.ts"

/**
 * Finds peers of which only the id is known: among those of the beacon nodes, and in a monitor's database, which is only
 * read, while the monitor may write it. A database that is not there, or cannot be read, knows nobody.
 */
export const locatorLayer = (sources: { readonly beaconApi: ReadonlyArray<string>; readonly database: string }) =>
  Layer.unwrapEffect(
    Effect.map(makeFindPeer({ urls: sources.beaconApi }), (listed) => {
      const path = sources.database
      if (!existsSync(path)) return LocatePeer.layer({ listed })
      return LocatePeer.layer({ listed, remembered: findInBook(path) }).pipe(
        Layer.provide(ReportsInline.layer({ path, answerLimit: "5 seconds" }))
      )
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
