import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Schema } from "effect"
import { stringify } from "yaml"
import { Config, type ConfigInput, configKeys, defaultConfig } from "../../src/config/Config.ts"
import { loadConfig, parseConfig } from "../../src/config/ConfigFile.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { enr, enrPeerId, multiaddrOf, peerId } from "./fixtures.ts"

const linesOf = (text: string): ReadonlyArray<string> =>
  Either.match(parseConfig(text, "c.yaml"), { onLeft: (error) => error.lines, onRight: () => [] })

const rootKeys = [...configKeys.keys()]
  .map((key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  .join(", ")
const duration = (least: string, most: string) =>
  `expected a duration from ${least} to ${most} like 10s, 5m, 1h30m or 18d`
const address = "expected host:port like 127.0.0.1:9090, [::1]:9090 or :9090, port 0 to 65535"
const url = "expected an http or https address like http://127.0.0.1:5052"
const urls = `${url}, or a list of such`
const slot = "expected a slot: a whole number, above 0 as it is, else counted from the head like -8192"
const pattern = "expected an ENR, a multiaddr with /p2p/, a peer id, a node id or a part of an agent string"
const peer = "expected an ENR or a multiaddr that ends in /p2p/<peer id>"

const paths: ReadonlyArray<readonly [text: string, line: string]> = [
  ["event_log_file: dasmon.db", '1: event_log_file: "dasmon.db" is the database (database_path)'],
  ["event_log_file: ./x/../dasmon.db", '1: event_log_file: "./x/../dasmon.db" is the database (database_path)'],
  ["event_log_file: dasmon.db-wal", '1: event_log_file: "dasmon.db-wal" belongs to the database (database_path)'],
  ["identity_file: dasmon.db.lock", '1: identity_file: "dasmon.db.lock" belongs to the database (database_path)'],
  ["identity_file: dasmon.db/key", '1: identity_file: "dasmon.db/key" is inside the database (database_path)'],
  [
    "event_log_file: dasmon.db.evidence/log",
    '1: event_log_file: "dasmon.db.evidence/log" is inside the folder of evidence beside the database (database_path)'
  ],
  ["event_log_file: dasmon.db.key", '1: event_log_file: "dasmon.db.key" is the private key (identity_file)'],
  ["identity_file: a\nevent_log_file: a.tmp", '2: event_log_file: "a.tmp" belongs to the private key (identity_file)'],
  [
    "event_log_file: log\ndatabase_path: log.5",
    '1: event_log_file: "log.5" belongs to it, and is the database (database_path)'
  ],
  [
    "event_log_file: log\ndatabase_path: log/db",
    '1: event_log_file: the database (database_path) would be inside "log"'
  ],
  [
    "event_log_file: e\nxatu: {address: a:1, spill_folder: e}",
    '1: event_log_file: "e" is the folder in which events for Xatu wait (xatu.spill_folder)'
  ],
  [
    "xatu: {address: a:1, spill_folder: dasmon.db.evidence}",
    '1: xatu.spill_folder: "dasmon.db.evidence" is the folder of evidence beside the database (database_path)'
  ],
  [
    "event_log_file: ca\nxatu: {address: a:1, ca_file: ca}",
    '1: event_log_file: "ca" is the authorities of Xatu (xatu.ca_file)'
  ]
]

const refused: ReadonlyArray<readonly [text: string, ...lines: ReadonlyArray<string>]> = [
  // Access.
  ["http: {token: hush}", "c.yaml:1: http.token: expected a token of 8 to 256 ASCII characters, without spaces"],
  [
    "http: {allowed_origins: ['https://dash.example/path']}",
    'c.yaml:1: http.allowed_origins[0]: expected an origin like https://dashboard.example.org, without a path, got "https://dash.example/path"'
  ],
  [
    "http: {allowed_hosts: ['a:80']}",
    'c.yaml:1: http.allowed_hosts[0]: expected the name of a host like dasmon.example.org, without a port, got "a:80"'
  ],
  [
    "listen_addresses: [0.0.0.0:9000]",
    'c.yaml:1: listen_addresses[0]: expected a multiaddr to listen on, like /ip4/0.0.0.0/tcp/9000 or /ip4/0.0.0.0/udp/9001/quic-v1, got "0.0.0.0:9000"'
  ],
  // Keys.
  ["workrs: 3", "c.yaml:1: workrs: unknown key (did you mean workers?)"],
  ["\nsampling:\n  max_colums: 3", "c.yaml:3: sampling.max_colums: unknown key (did you mean max_columns?)"],
  ["max_columns: 3", "c.yaml:1: max_columns: unknown key (did you mean sampling.max_columns?)"],
  ["sampling: {maxSlots: 3}", "c.yaml:1: sampling.maxSlots: unknown key (did you mean max_slots?)"],
  ["metrics: {hello: 3}", "c.yaml:1: metrics.hello: unknown key (known are enabled, port)"],
  ["1: 2", `c.yaml:1: 1: unknown key (known are ${rootKeys})`],
  ["__proto__: {workers: 3}", `c.yaml:1: __proto__: unknown key (known are ${rootKeys})`],
  ["<<: {workers: 3}", `c.yaml:1: "<<": unknown key (known are ${rootKeys})`],
  ["workers: 3\n\nworkers: 4", "c.yaml:3: workers: this key is given more than once"],
  ["metrics:\n  port: 1\n  port: 2", "c.yaml:3: metrics.port: this key is given more than once"],
  ["? [workers]\n: 3", "c.yaml:1: a key must be a word, not a list, a map or a reference"],
  // The wrong kind of thing.
  ["hello", `c.yaml:1: expected a map of the keys ${rootKeys}, got "hello"`],
  ["- workers: 3", `c.yaml:1: expected a map of the keys ${rootKeys}, got a list`],
  ["metrics:\n  - 1", "c.yaml:1: metrics: expected a map of the keys enabled, port, got a list"],
  ["metrics: true", "c.yaml:1: metrics: expected a map of the keys enabled, port, got true"],
  ["workers: [4]", "c.yaml:1: workers: expected a whole number from 1 to 256, got a list"],
  ["database_path: {a: 1}", "c.yaml:1: database_path: expected the path of a file, got a map"],
  ["peers: /ip4/127.0.0.1", 'c.yaml:1: peers: expected a list of ENRs or multiaddrs, got "/ip4/127.0.0.1"'],
  ["node_filter: {include: lighthouse}", 'c.yaml:1: node_filter.include: expected a list of peers, got "lighthouse"'],
  // Numbers.
  ["workers: 0", "c.yaml:1: workers: expected a whole number from 1 to 256, got 0"],
  ["workers: 257", "c.yaml:1: workers: expected a whole number from 1 to 256, got 257"],
  ["workers: 2.5", "c.yaml:1: workers: expected a whole number from 1 to 256, got 2.5"],
  ["workers: .nan", "c.yaml:1: workers: expected a whole number from 1 to 256, got NaN"],
  ["workers: 1_0", 'c.yaml:1: workers: expected a whole number from 1 to 256, got "1_0" (write it without _)'],
  ["workers: '4'", 'c.yaml:1: workers: expected a whole number from 1 to 256, got "4" (write it without quotes)'],
  ["workers: four", 'c.yaml:1: workers: expected a whole number from 1 to 256, got "four"'],
  ["sampling: {max_columns: 129}", "c.yaml:1: sampling.max_columns: expected a whole number from 1 to 128, got 129"],
  ["kzg: {threads: 0}", "c.yaml:1: kzg.threads: expected a whole number from 1 to 64, got 0"],
  [
    "kzg: {ledger_memory: 100}",
    "c.yaml:1: kzg.ledger_memory: expected a size from 1MiB to 64GiB like 512KiB or 100MiB, got 100 (give a unit: 100B)"
  ],
  ["metrics: {port: 65536}", "c.yaml:1: metrics.port: expected a whole number from 0 to 65535, got 65536"],
  ["block_filter: {start_slot: 1e99}", `c.yaml:1: block_filter.start_slot: ${slot}, got 1e+99`],
  [
    "gossip: {columns: [128]}",
    "c.yaml:1: gossip.columns: expected custody, all, or a list of columns from 0 to 127, each once, got a list"
  ],
  [
    "gossip: {custody_group_count: 3}",
    "c.yaml:1: gossip.custody_group_count: expected a whole number from 4 to 128, got 3"
  ],
  // Words.
  ["gossip: {mode: on}", 'c.yaml:1: gossip.mode: expected one of off, observe, participate, got "on"'],
  ["metrics: {enabled: yes}", 'c.yaml:1: metrics.enabled: expected true or false, got "yes"'],
  [
    "sampling: {slot_bias: recnt}",
    "c.yaml:1: sampling.slot_bias: expected one of uniform, recent, historical, heavily_recent, heavily_historical, " +
      'got "recnt" (did you mean recent?)'
  ],
  ["backfill: {mode: on}", 'c.yaml:1: backfill.mode: expected one of off, background, preload, got "on"'],
  [
    "agent: Prüfer/1",
    'c.yaml:1: agent: expected 1 to 128 printable ASCII characters, with no space at the ends, got "Prüfer/1"'
  ],
  [
    `agent: ${"a".repeat(129)}`,
    `c.yaml:1: agent: expected 1 to 128 printable ASCII characters, with no space at the ends, got "${"a".repeat(60)}…"`
  ],
  ["agent: ''", 'c.yaml:1: agent: expected 1 to 128 printable ASCII characters, with no space at the ends, got ""'],
  [
    "agent: 1.0",
    "c.yaml:1: agent: expected 1 to 128 printable ASCII characters, with no space at the ends, got 1 (write it in quotes)"
  ],
  ["database_path: ''", 'c.yaml:1: database_path: expected the path of a file, got ""'],
  // Durations.
  ["test_interval: 10", `c.yaml:1: test_interval: ${duration("100ms", "1d")}, got 10 (give a unit: 10s)`],
  ["test_interval: 99ms", `c.yaml:1: test_interval: ${duration("100ms", "1d")}, got "99ms"`],
  [
    "test_interval: 10 seconds",
    `c.yaml:1: test_interval: ${duration("100ms", "1d")}, got "10 seconds" (units are ms, s, m, h and d, without spaces)`
  ],
  ["peer_refresh_interval: 0s", `c.yaml:1: peer_refresh_interval: ${duration("1s", "1d")}, got "0s"`],
  ["reconnection_grace: -5m", `c.yaml:1: reconnection_grace: ${duration("0s", "7d")}, got "-5m"`],
  [
    "sampling_strategy: {history_window: 9999999999999999d}",
    `c.yaml:1: sampling_strategy.history_window: ${duration("1s", "365d")}, got "9999999999999999d"`
  ],
  // Addresses.
  ["http_addr: 9090", `c.yaml:1: http_addr: ${address}, got 9090`],
  ["http_addr: 127.0.0.1", `c.yaml:1: http_addr: ${address}, got "127.0.0.1"`],
  ["http_addr: 127.0.0.1:65536", `c.yaml:1: http_addr: ${address}, got "127.0.0.1:65536"`],
  ["http_addr: 256.0.0.1:80", `c.yaml:1: http_addr: ${address}, got "256.0.0.1:80"`],
  ["http_addr: ::1:80", `c.yaml:1: http_addr: ${address}, got "::1:80"`],
  ["http_addr: '[::g]:80'", `c.yaml:1: http_addr: ${address}, got "[::g]:80"`],
  ["beacon_api: localhost:5052", `c.yaml:1: beacon_api: ${url}, got "localhost:5052"`],
  ["beacon_api: ftp://localhost", `c.yaml:1: beacon_api: ${url}, got "ftp://localhost"`],
  ["beacon_api: 5052", `c.yaml:1: beacon_api: ${urls}, got 5052`],
  ["beacon_api: []", "c.yaml:1: beacon_api: name one at least"],
  ["beacon_api: [http://a, 5]", `c.yaml:1: beacon_api: ${urls}, got a list (with an entry that is no text)`],
  ["beacon_api:\n- http://a\n- b:5052", `c.yaml:3: beacon_api[1]: ${url}, got "b:5052"`],
  ["beacon_api: [http://a, http://b, http://a/]", "c.yaml:1: beacon_api[2]: the same address as in entry 0"],
  [
    `beacon_api: [${Array.from({ length: 9 }, (_, index) => `http://a${index}`).join(", ")}]`,
    "c.yaml:1: beacon_api: 9 addresses, but at most 8 are asked"
  ],
  ["backfill: {beacon_api: http://a/?b=c}", `c.yaml:1: backfill.beacon_api: ${url}, got "http://a/?b=c"`],
  // Peers.
  ["peers: [~]", `c.yaml:1: peers[0]: ${peer}, got nothing`],
  ["peers:\n- 5", `c.yaml:2: peers[0]: ${peer}, got 5`],
  ["peers:\n- foo", 'c.yaml:2: peers[0]: neither an ENR nor a multiaddr to dial: String multiaddr must start with "/"'],
  [
    `peers:\n- /ip4/10.0.0.1/tcp/9000`,
    "c.yaml:2: peers[0]: neither an ENR nor a multiaddr to dial: it is not /<ip or dns>/…/udp/<port>/quic-v1/p2p/<peer id>, nor /…/tcp/<port>/p2p/<peer id>"
  ],
  [
    `peers:\n- ${enr}\n- ${multiaddrOf(peerId)}\n- ${multiaddrOf(enrPeerId)}`,
    `c.yaml:4: peers[2]: the same peer as peers[0] (${enrPeerId})`
  ],
  ["node_filter: {exclude: ['']}", `c.yaml:1: node_filter.exclude[0]: ${pattern}, got ""`],
  [
    "node_filter:\n  include:\n  - teku\n  - 0x12",
    "c.yaml:4: node_filter.include[1]: not a valid node id: expected 0x and 64 hexadecimal digits, " +
      "got 2 characters after 0x"
  ],
  [`node_filter: {include: [16Uiu2HAbc]}`, "c.yaml:1: node_filter.include[0]: not a valid peer id: Incorrect length"],
  [
    "node_filter: {include: [/ip4/10.0.0.1/tcp/9000]}",
    "c.yaml:1: node_filter.include[0]: the multiaddr does not end in /p2p/<peer id>"
  ],
  // Things that do not fit together.
  [
    "block_filter:\n  end_slot: 3\n  start_slot: 4",
    "c.yaml:3: block_filter.start_slot: slot 4 is after the end, slot 3"
  ],
  [
    "block_filter: {start_slot: 0, end_slot: -1}",
    "c.yaml:1: block_filter.start_slot: slot 0 is after the end, slot -1"
  ],
  [
    "event_log_max_size: 100M",
    'c.yaml:1: event_log_max_size: expected a size from 1KiB to 1TiB like 512KiB or 100MiB, got "100M" (units are B, KiB, MiB, GiB and TiB, without spaces)'
  ],
  [
    "event_log_max_size: 1000",
    "c.yaml:1: event_log_max_size: expected a size from 1KiB to 1TiB like 512KiB or 100MiB, got 1000 (give a unit: 1000B)"
  ],
  [
    "event_log_max_size: 2TiB",
    'c.yaml:1: event_log_max_size: expected a size from 1KiB to 1TiB like 512KiB or 100MiB, got "2TiB"'
  ],
  // Paths of which each must have its own.
  ...paths.map(([text, line]) => [text, `c.yaml:${line}: give each a path of its own`] as const),
  // Ports.
  ["metrics:\n  enabled: true\n  port: 9090", "c.yaml:3: metrics.port: port 9090 is taken: http_addr has it"],
  [
    "http_addr: :9000\nlisten_addresses:\n- /ip6/::1/tcp/9000\n- /ip4/10.0.0.1/tcp/9000",
    "c.yaml:4: listen_addresses[1]: port 9000 is taken: http_addr has it"
  ],
  [
    "http_addr: :9000\nlisten_addresses:\n- /ip4/0.0.0.0/udp/9000/quic-v1\n- /ip4/10.0.0.1/udp/9000/quic-v1",
    "c.yaml:4: listen_addresses[1]: UDP port 9000 is taken: listen_addresses[0] has it"
  ],
  [
    "network: hoodi\nlisten_addresses: [/ip4/0.0.0.0/udp/9000/quic-v1]\ndiscovery:\n  listen_addresses: [/ip4/10.0.0.1/udp/9000]",
    "c.yaml:4: discovery.listen_addresses[0]: UDP port 9000 is taken: listen_addresses[0] has it"
  ],
  [
    "network: hoodi\ndiscovery:\n  listen_addresses: [/ip6/::/udp/9000]\nidentities: 2\nsecond_listen_addresses: [/ip6/::1/udp/9000/quic-v1]",
    "c.yaml:5: second_listen_addresses[0]: UDP port 9000 is taken: discovery.listen_addresses[0] has it"
  ],
  [
    "beacon_api:\n- http://a\n- http://localhost:9090",
    "c.yaml:3: beacon_api[1]: this is where dasmon itself listens (http_addr): name the beacon node's own address"
  ],
  [
    "beacon_api: http://localhost:9090",
    "c.yaml:1: beacon_api: this is where dasmon itself listens (http_addr): name the beacon node's own address"
  ],
  ["beacon_api: http://a:70000", `c.yaml:1: beacon_api: ${url}, got "http://a:70000" (there is no port 70000)`],
  ["beacon_api: http://a:0", `c.yaml:1: beacon_api: ${url}, got "http://a:0" (there is no port 0)`],
  ...(
    [
      ["/ip4/10.0.0.1/tcp/70000", " (there is no port 70000)"],
      ["/ip4/10.0.0.256/tcp/1", " (10.0.0.256 is no ip4 address)"],
      ["/ip6/10.0.0.1/tcp/1", " (10.0.0.1 is no ip6 address)"],
      ["/ip4/10.0.0.1/sctp/1", " (only tcp, and udp with quic-v1, are listened on, not sctp)"],
      ["/ip4/10.0.0.1/udp/1", " (it ends in /quic-v1 behind the port)"],
      ["/ip4/10.0.0.1/tcp/1/quic-v1", " (it ends behind the port)"],
      ["/ip4/10.0.0.1/tcp/1/ws", " (it ends behind the port)"],
      ["/dns4/a/tcp/1", ""]
    ] as const
  ).map(
    ([given, hint]) =>
      [
        `listen_addresses:\n- ${given}`,
        `c.yaml:2: listen_addresses[0]: expected a multiaddr to listen on, like /ip4/0.0.0.0/tcp/9000 or /ip4/0.0.0.0/udp/9001/quic-v1, got "${given}"${hint}`
      ] as const
  ),
  [
    "listen_addresses: [/ip4/10.0.0.1/tcp/1, /ip4/10.0.0.1/tcp/0, /ip4/10.0.0.1/tcp/0, /ip4/10.0.0.1/tcp/1]",
    "c.yaml:1: listen_addresses[3]: the same address as in entry 0: /ip4/10.0.0.1/tcp/1"
  ],
  [
    `listen_addresses: [${Array.from({ length: 65 }, (_, index) => `/ip4/10.0.0.1/tcp/${index}`).join(", ")}]`,
    "c.yaml:1: listen_addresses: 65 addresses, but at most 64 are listened on"
  ],
  [`peers: [${"a, ".repeat(10_000)}a]`, "c.yaml:1: peers: 10001 entries, but at most 10000 are read"],
  [
    `xatu: {address: a:1, headers: {${Array.from({ length: 10_001 }, (_, index) => `k${index}: v`).join(", ")}}}`,
    "c.yaml:1: xatu.headers: 10001 entries, but at most 10000 are read"
  ],
  [
    "bandwidth_limit: 4MB",
    'c.yaml:1: bandwidth_limit: expected a size from 16KiB to 1TiB like 512KiB or 100MiB, or off, got "4MB" (units are B, KiB, MiB, GiB and TiB, without spaces)'
  ],
  [
    "sampling: { sample_at: 4s, deadline: 3s }",
    "c.yaml:1: sampling.deadline: expected a duration longer than that of sample_at, 4s"
  ],
  [
    "sampling: { samples_per_slot: 65 }",
    "c.yaml:1: sampling.samples_per_slot: expected a whole number from 1 to 64, got 65"
  ],
  [
    "sampling: { daily_bytes: 1000 }",
    "c.yaml:1: sampling.daily_bytes: expected a size from 1MiB to 1TiB like 512KiB or 100MiB, or off, got 1000 (give a unit: 1000B)"
  ],
  [
    "bandwidth_limit: 1KiB",
    'c.yaml:1: bandwidth_limit: expected a size from 16KiB to 1TiB like 512KiB or 100MiB, or off, got "1KiB"'
  ],
  ["identities: 3", "c.yaml:1: identities: expected a whole number from 1 to 2, got 3"],
  // Not YAML, or not the YAML that is wanted.
  [
    "a: [1",
    "c.yaml:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"
  ],
  ["workers:\n\t- 1", "c.yaml:2: not valid YAML: Tabs are not allowed as indentation"],
  ["workers: *all", "c.yaml: not valid YAML: Unresolved alias (the anchor must be set before the alias): all"],
  ["workers: !js 3", "c.yaml:1: not valid YAML: Unresolved tag: !js"],
  ["workers: 1\n---\nworkers: 2", "c.yaml:2: a second document begins here: only one is allowed"],
  ["%YAML 1.1\n---\nworkers: 1_0", "c.yaml:1: YAML 1.1 is not supported, only 1.2"],
  // Everything at once, in the order of the file.
  [
    "workers: 0\nmetrics:\n  prot: 1\n  enabled: 1\npeers: [1]\nworkers: 999",
    "c.yaml:3: metrics.prot: unknown key (did you mean port?)",
    "c.yaml:4: metrics.enabled: expected true or false, got 1",
    `c.yaml:5: peers[0]: ${peer}, got 1`,
    "c.yaml:6: workers: this key is given more than once",
    "c.yaml:6: workers: expected a whole number from 1 to 256, got 999"
  ]
]

describe("parseConfig", () => {
  it.each(refused)("refuses %j", (text, ...lines) => {
    assert.deepStrictEqual(linesOf(text), lines)
  })

  it.each([
    "",
    "# nothing\n",
    "---\n",
    "null",
    "{}",
    "sampling:\nmetrics: ~\npeers:\nworkers:\nnode_filter: {include:}"
  ])("reads %j as all defaults", (text) => {
    assert.deepStrictEqual(parseConfig(text, "c.yaml"), Either.right(defaultConfig))
  })

  it("reads the keys and forms of a whole file", () => {
    const text = `
beacon_api: http://user:pw@beacon.example:5052/eth/
trust_beacon_roots: true
database_path: /var/lib/dasmon/history.db
retention: 30d
identity_file: key
agent: Lighthouse/v8.0.1-ced49dd/x86_64-linux
identities: 2
second_agent: Someone/1.0 (elsewhere)
second_listen_addresses: [/ip4/0.0.0.0/tcp/9100]
target_peers: 300
discovery: { discv5: false, beacon_peers_interval: 1m }
peers_per_column: 5
event_log_file: events.ndjson
event_log_max_size: 512KiB
event_log_keep: 0
http_addr: :0
http: {token: "s3cret-s3cret", allowed_origins: ["https://dash.example:8443"], allowed_hosts: [dasmon.example]}
listen_addresses: [/ip4/0.0.0.0/udp/9000/quic-v1, /ip4/0.0.0.0/tcp/9000, "/ip6/::/tcp/9000"]
workers: 16
test_interval: 1.5s
confirm_after: 15m
verdict_window: 14d
peer_refresh_interval: 5m
reconnection_grace: 0s
bandwidth_limit: 0
sampling: {max_columns: 128, max_slots: 1, daily_bytes: 1GiB, slot_bias: heavily_recent, per_slot: false, samples_per_slot: 16, sample_at: 3s, deadline: 20s}
sampling_strategy: {history_window: 18d, prefer_untested: false, retry_failures: false, retry_after: 1h30m}
block_filter: {start_slot: -8192, end_slot: 0}
node_filter: {include: [Lighthouse, ${enr}], exclude: [0xA26A7AB43EFA3C5CAAAB0C5CC0B134CC1FD7DB633E9339B023D57865CB5DA905]}
backfill: {mode: preload, beacon_api: "https://archive.example"}
metrics: {enabled: true, port: 0}
kzg: {threads: 3, ledger_memory: 1GiB, ledger_on_disk: false, ledger_size: 16MiB}
gossip: {mode: participate, columns: [3, 127], custody_group_count: 128, matrix_memory: 8MiB, custody_retention: 3d,
  custody_size: 16MiB, serve_limit: 1MiB, serve_daily_bytes: off, custody_backfill: true, reconstruct_after: 2s}
scoring: {disconnect_below: 0.2}
das_providers: [${enr}]
peers:
  - ${multiaddrOf(peerId)}
`
    const config = Either.getOrThrow(parseConfig(text, "c.yaml"))
    assert.deepStrictEqual(Schema.encodeSync(Config)(config), {
      beaconApi: "http://user:pw@beacon.example:5052/eth",
      trustBeaconRoots: true,
      databasePath: "/var/lib/dasmon/history.db",
      retention: "30d",
      identityFile: "key",
      agent: "Lighthouse/v8.0.1-ced49dd/x86_64-linux",
      identities: 2,
      secondAgent: "Someone/1.0 (elsewhere)",
      targetPeers: 300,
      discovery: {
        discv5: false,
        listenAddresses: ["/ip4/0.0.0.0/udp/0"],
        externalAddresses: [],
        beaconPeers: true,
        beaconPeersInterval: "1m"
      },
      peersPerColumn: 5,
      secondListenAddresses: ["/ip4/0.0.0.0/tcp/9100"],
      eventLogFile: "events.ndjson",
      eventLogMaxSize: "512KiB",
      eventLogKeep: 0,
      httpAddr: "0.0.0.0:0",
      http: { token: "s3cret-s3cret", allowedOrigins: ["https://dash.example:8443"], allowedHosts: ["dasmon.example"] },
      listenAddresses: ["/ip4/0.0.0.0/udp/9000/quic-v1", "/ip4/0.0.0.0/tcp/9000", "/ip6/::/tcp/9000"],
      workers: 16,
      testInterval: "1s500ms",
      confirmAfter: "15m",
      verdictWindow: "14d",
      peerRefreshInterval: "5m",
      reconnectionGrace: "0s",
      bandwidthLimit: "off",
      sampling: {
        maxColumns: 128,
        maxSlots: 1,
        dailyBytes: "1GiB",
        slotBias: "heavily_recent",
        perSlot: false,
        samplesPerSlot: 16,
        sampleAt: "3s",
        deadline: "20s"
      },
      samplingStrategy: { historyWindow: "18d", preferUntested: false, retryFailures: false, retryAfter: "1h30m" },
      blockFilter: { startSlot: -8192, endSlot: 0 },
      nodeFilter: {
        include: ["Lighthouse", enrPeerId],
        exclude: ["0xa26a7ab43efa3c5caaab0c5cc0b134cc1fd7db633e9339b023d57865cb5da905"]
      },
      backfill: { mode: "preload", beaconApi: "https://archive.example" },
      metrics: { enabled: true, port: 0 },
      kzg: { threads: 3, ledgerMemory: "1GiB", ledgerOnDisk: false, ledgerSize: "16MiB" },
      gossip: {
        mode: "participate",
        columns: [3, 127],
        custodyGroupCount: 128,
        matrixMemory: "8MiB",
        custodyRetention: "3d",
        custodySize: "16MiB",
        serveLimit: "1MiB",
        serveDailyBytes: "off",
        custodyBackfill: true,
        reconstructAfter: "2s"
      },
      scoring: { disconnectBelow: 0.2 },
      dasProviders: [enr],
      peers: [multiaddrOf(peerId)]
    })
  })

  it("gives back every configuration that it can write", () => {
    FastCheck.assert(
      FastCheck.property(inputs, (input) => {
        const config = Either.getOrThrow(makeConfig(input))
        const encoded = Schema.encodeSync(Config)(config)
        assert.deepStrictEqual(makeConfig(encoded), Either.right(config))
        assert.deepStrictEqual(parseConfig(stringify(snakeCase(encoded)), "c.yaml"), Either.right(config))
      }),
      { seed: 2, numRuns: 60 }
    )
  })

  it("answers junk with lines, never with an exception", () => {
    const piece = FastCheck.constantFrom(
      ..."workers: |sampling:|  max_slots: |peers:|- |\n|  |[|]|{|}|,|:|*a|&a |<<: |'|\"|!!set |%|---|#|\t|0x|1|~|\0|\uD800".split(
        "|"
      ),
      "|",
      ">-"
    )
    const texts = FastCheck.oneof(
      FastCheck.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
      FastCheck.string({ unit: "binary", maxLength: 60 }),
      FastCheck.json()
    )
    FastCheck.assert(
      FastCheck.property(texts, (text) => {
        for (const line of linesOf(text)) assert.match(line, /^c\.yaml(:\d+)?: [^\n\r]+$/)
      }),
      { seed: 3, numRuns: 400 }
    )
  })

  it("survives a file that is nested without end", () => {
    for (const level of ["- ", "[", "{a: ", "? "]) {
      assert.deepStrictEqual(linesOf(level.repeat(200_000)), ["c.yaml: more than 100 levels of nesting"])
    }
  })

  it("does not tell of each of very many mistakes", () => {
    const lines = linesOf(Array.from({ length: 2000 }, (_, index) => `k${index}: 1\n`).join(""))
    assert.lengthOf(lines, 21)
    assert.strictEqual(lines.at(-1), "… and 1980 more mistakes")
    for (const line of lines.slice(0, 20)) assert.include(line, "unknown key (known are")
  })

  it("tells of a key that is given without end once", () => {
    assert.deepStrictEqual(linesOf("workers: 3\n".repeat(2000)), [
      "c.yaml:2000: workers: this key is given more than once"
    ])
  })

  it("reads no more than the beginning of what is no YAML at all", () => {
    const lines = linesOf(`a: [\n${"- }{\n".repeat(20_000)}`)
    assert.lengthOf(lines, 21)
    assert.isBelow(Number(/and (\d+) more/.exec(lines.at(-1) ?? "")?.[1]), 20_000)
  })
})

const durationText = (least: number, most: number) =>
  FastCheck.integer({ min: least, max: most }).chain((seconds) =>
    FastCheck.constantFrom(`${seconds}s`, `${seconds * 1000}ms`, `${seconds / 4 + least}s`)
  )

const optionally = <T>(shape: { [K in keyof T]: FastCheck.Arbitrary<T[K]> }) =>
  FastCheck.record(shape, { requiredKeys: [] })

const inputs: FastCheck.Arbitrary<ConfigInput> = optionally({
  beaconApi: FastCheck.oneof(
    FastCheck.webUrl(),
    FastCheck.uniqueArray(FastCheck.webUrl(), { minLength: 1, maxLength: 3, selector: (url) => new URL(url).href })
  ),
  databasePath: FastCheck.stringMatching(/^[\w ./-]{1,20}\.db$/),
  identityFile: FastCheck.constantFrom("key", "~/key: 'x' #"),
  agent: FastCheck.constantFrom("dasmon/1.2.3", "1.0", "a: 'b' # c", "~"),
  identities: FastCheck.integer({ min: 1, max: 2 }),
  secondAgent: FastCheck.constantFrom("a", "Lighthouse/v8.0.1: x #"),
  eventLogFile: FastCheck.constantFrom("yes", "1e3", "events"),
  trustBeaconRoots: FastCheck.boolean(),
  eventLogMaxSize: FastCheck.constantFrom("1KiB", "1TiB", "1500B", "2MiB"),
  eventLogKeep: FastCheck.integer({ min: 0, max: 1000 }),
  httpAddr: FastCheck.constantFrom(":0", "localhost:80", "[::1]:8080", "a.b-c.example:65535", "127.0.0.1:1"),
  workers: FastCheck.integer({ min: 1, max: 256 }),
  bandwidthLimit: FastCheck.constantFrom("16KiB", "1TiB", "off", 0 as const),
  testInterval: durationText(1, 3600),
  peerRefreshInterval: durationText(1, 3600),
  reconnectionGrace: durationText(0, 86400),
  sampling: optionally({
    maxColumns: FastCheck.integer({ min: 1, max: 128 }),
    maxSlots: FastCheck.integer({ min: 1, max: 128 }),
    dailyBytes: FastCheck.constantFrom("1MiB", "off", "0", 0 as const, "300MiB"),
    slotBias: FastCheck.constantFrom("uniform", "recent", "historical", "heavily_recent", "heavily_historical")
  }),
  samplingStrategy: optionally({
    historyWindow: durationText(1, 10_000_000),
    preferUntested: FastCheck.boolean(),
    retryFailures: FastCheck.boolean(),
    retryAfter: durationText(0, 10_000_000)
  }),
  blockFilter: optionally({
    startSlot: FastCheck.integer({ min: -8192, max: 0 }),
    endSlot: FastCheck.integer({ min: 1, max: 20_000_000 })
  }),
  nodeFilter: optionally({
    include: FastCheck.array(FastCheck.constantFrom("lighthouse/v7", "12", "true", enr, peerId), { maxLength: 4 }),
    exclude: FastCheck.array(FastCheck.constantFrom(multiaddrOf(peerId), `0x${"aB".repeat(32)}`), { maxLength: 4 })
  }),
  backfill: optionally({
    mode: FastCheck.constantFrom("off", "background", "preload"),
    beaconApi: FastCheck.webUrl()
  }),
  metrics: optionally({ enabled: FastCheck.boolean(), port: FastCheck.integer({ min: 9091, max: 65534 }) }),
  peers: FastCheck.subarray([enr, multiaddrOf(peerId)])
})

const snakeCase = (value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          snakeCase(inner)
        ])
      )

describe("loadConfig", () => {
  const linesOfFile = (name: string, make: (path: string) => Effect.Effect<void, unknown, FileSystem.FileSystem>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const path = `${folder}/${name}`
      yield* make(path)
      return yield* loadConfig(path).pipe(
        Effect.match({
          onFailure: (error) => error.lines.map((line) => line.replace(path, "FILE")),
          onSuccess: (config) => [`workers ${config.workers}`]
        })
      )
    }).pipe(Effect.provide(NodeContext.layer))

  const write = (bytes: string | Uint8Array) => (path: string) =>
    Effect.flatMap(FileSystem.FileSystem, (fs) =>
      fs.writeFile(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)
    )

  it.scoped("reads a file, also with a byte order mark and Windows line ends", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* linesOfFile("a", write("\uFEFFworkers: 7\r\nmetrics:\r\n  port: 1\r\n")), [
        "workers 7"
      ])
      assert.deepStrictEqual(yield* linesOfFile("b", write("")), ["workers 4"])
    })
  )

  it.scoped("finds paths that lead to the same place", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.makeDirectory(`${folder}/data`)
      yield* fs.symlink(`${folder}/data`, `${folder}/link`)
      // To what is not there yet.
      yield* fs.symlink("data/db", `${folder}/dangling`)
      const refusal = Effect.fnUntraced(function* (text: string) {
        const file = `${folder}/c.yaml`
        yield* fs.writeFileString(file, text.replaceAll("~", folder))
        const { lines } = yield* Effect.flip(loadConfig(file))
        return lines.map((line) => line.replaceAll(folder, "~"))
      })
      const own = ": give each a path of its own"
      assert.deepStrictEqual(yield* refusal("database_path: ~/data/db\nevent_log_file: ~/link/db-shm"), [
        `~/c.yaml:2: event_log_file: "~/link/db-shm" belongs to the database (database_path)${own}`
      ])
      assert.deepStrictEqual(yield* refusal("database_path: ~/data/db\nidentity_file: ~/dangling"), [
        `~/c.yaml:2: identity_file: "~/dangling" is the database (database_path)${own}`
      ])
      assert.deepStrictEqual(yield* refusal("database_path: ~/data/db\nevent_log_file: ~/data/../c.yaml"), [
        `~/c.yaml:2: event_log_file: "~/data/../c.yaml" is this file itself${own}`
      ])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("says why a file cannot be used", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* linesOfFile("none", () => Effect.void), ["FILE: there is no such file"])
      assert.deepStrictEqual(yield* linesOfFile("folder", (path) => fs.makeDirectory(path)), [
        "FILE: this is a directory, not a configuration file"
      ])
      assert.deepStrictEqual(yield* linesOfFile("device", (path) => fs.symlink("/dev/zero", path)), [
        "FILE: this is not a regular file"
      ])
      assert.deepStrictEqual(yield* linesOfFile("large", write("#".repeat(2 ** 20 + 1))), [
        "FILE: 1048577 bytes, but a configuration file has at most 1048576"
      ])
      assert.deepStrictEqual(yield* linesOfFile("binary", write(Uint8Array.of(0x61, 0xff))), [
        "FILE: this is not text in UTF-8"
      ])
      assert.deepStrictEqual(yield* linesOfFile("wrong", write("workers: 0")), [
        "FILE:1: workers: expected a whole number from 1 to 256, got 0"
      ])
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
