import { assert, describe, it } from "@effect/vitest"
import { readVariables } from "../../../src/config/settings/Variables.ts"

describe("readVariables", () => {
  it("reads the settings of an environment, an empty one as not set", () => {
    const { complaints, given } = readVariables({
      PATH: "/bin",
      DASMON_WORKERS: "8",
      DASMON_METRICS_ENABLED: "true",
      DASMON_HTTP_TOKEN: "",
      DASMON_NODE_FILTER_INCLUDE: "Prysm,Teku",
      DASMON_CONFIG: "a.yaml"
    })
    assert.deepStrictEqual(complaints, [])
    assert.deepStrictEqual(Object.fromEntries(given.map(({ from, value }) => [from, value])), {
      DASMON_WORKERS: 8,
      DASMON_METRICS_ENABLED: true,
      DASMON_NODE_FILTER_INCLUDE: ["Prysm", "Teku"]
    })
  })

  it("says which one was meant by one that is none, and never what is in it", () => {
    const { complaints } = readVariables({
      DASMON_BEACON_APY: "http://me:secret@there",
      DASMON_METRIC_PORT: "9000",
      DASMON_ENTIRELY_UNLIKE: "secret",
      DASMON_XATU_HEADERS: "secret"
    })
    assert.deepStrictEqual(complaints, [
      "DASMON_XATU_HEADERS: expected NAME=VALUE, several with commas between them",
      "DASMON_BEACON_APY: there is no such setting (did you mean DASMON_BEACON_API?)",
      "DASMON_METRIC_PORT: there is no such setting (did you mean DASMON_METRICS_PORT?)",
      "DASMON_ENTIRELY_UNLIKE: there is no such setting (a variable is a key of the configuration: " +
        "DASMON_SAMPLING_MAX_SLOTS is sampling.max_slots)"
    ])
  })

  it("minds nothing that Kubernetes tells of a service that is called dasmon", () => {
    const environment = {
      DASMON_SERVICE_HOST: "10.0.0.1",
      DASMON_SERVICE_PORT: "9090",
      DASMON_SERVICE_PORT_HTTP: "9090",
      DASMON_PORT: "tcp://10.0.0.1:9090",
      DASMON_PORT_9090_TCP: "tcp://10.0.0.1:9090",
      DASMON_PORT_9090_TCP_PROTO: "tcp",
      DASMON_PORT_9090_TCP_PORT: "9090",
      DASMON_PORT_9090_TCP_ADDR: "10.0.0.1",
      DASMON_DATABASE_SERVICE_HOST: "10.0.0.2"
    }
    assert.deepStrictEqual(readVariables(environment), { given: [], complaints: [] })
  })
})
