"use strict"
const maxRows = 500, maxFeed = 200
const verdicts = ["violating", "evasive", "unresponsive", "refusing", "unknown", "compliant"]
const blame = {
  missing: "peer", invalid: "peer", unavailable: "peer", malformed: "peer", timeout: "unproven", disconnected: "unproven",
  suspected: "unproven"
}
const byId = (id) => document.getElementById(id)
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0)
const element = (tag, className, text) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}
const shortId = (peerId) => peerId.length > 16 ? peerId.slice(0, 6) + "\u2026" + peerId.slice(-6) : peerId
const idOf = (peerId) => { const code = element("code", "", shortId(peerId)); code.title = peerId; return code }
const age = (at) => {
  if (at === null) return "never"
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000))
  if (seconds < 60) return seconds + " s ago"
  return seconds < 3600 ? Math.floor(seconds / 60) + " min ago" : Math.floor(seconds / 3600) + " h ago"
}
const custodyText = (custody) => {
  if (custody === null) return "\u2013"
  if (custody.columns.length === 128) return "all 128"
  const shown = custody.columns.slice(0, 8).join(" ")
  return custody.columns.length + " \u00B7 " + shown + (custody.columns.length > 8 ? " \u2026" : "")
}
const outcomeTitle = (peer) =>
  Object.entries(peer.outcomes).filter(([, count]) => count > 0).map(([kind, count]) => kind + " " + count).join(", ")
const findingText = (peer) =>
  Object.entries(peer.findings).map(([kind, count]) => kind.replaceAll("_", " ") + " \u00D7\u00A0" + count).join(", ")

const columns = [
  { name: "Verdict", key: (peer) => verdicts.indexOf(peer.verdict),
    cell: (peer, td) => { td.append(element("span", "badge " + peer.verdict, peer.verdict)) } },
  { name: "Agent", className: "agent", key: (peer) => peer.agent || "\uFFFF",
    cell: (peer, td) => { td.textContent = peer.agent || "\u2013"; td.title = peer.agent || "" } },
  { name: "Peer", className: "nowrap", key: (peer) => peer.peerId,
    cell: (peer, td) => { td.append(idOf(peer.peerId)); if (peer.address) td.title = peer.address } },
  { name: "Custody", className: "custody", key: (peer) => peer.custody === null ? -1 : peer.custody.columns.length,
    cell: (peer, td) => {
      td.textContent = custodyText(peer.custody)
      if (peer.custody) td.title = "columns " + peer.custody.columns.join(" ") + " (from " + peer.custody.source + ")"
    } },
  { name: "Verified", className: "number", key: (peer) => sum(peer.outcomes) === 0 ? -1 : peer.outcomes.success / sum(peer.outcomes),
    cell: (peer, td) => {
      td.textContent = peer.outcomes.success + " / " + sum(peer.outcomes)
      td.title = outcomeTitle(peer)
    } },
  { name: "Suspected", className: "number", key: (peer) => -peer.suspicions,
    cell: (peer, td) => { td.textContent = peer.suspicions === 0 ? "\u2013" : peer.suspicions; td.title = "suspected, and not settled" } },
  { name: "Findings", className: "findings", key: (peer) => sum(peer.findings), cell: (peer, td) => { td.textContent = findingText(peer) || "\u2013" } },
  { name: "Last failure", className: "failure", key: (peer) => peer.lastFailure || "\uFFFF",
    cell: (peer, td) => { td.textContent = peer.lastFailure || "\u2013" } },
  { name: "Connected", key: (peer) => peer.connected ? 0 : 1, cell: (peer, td) => { td.textContent = peer.connected ? (peer.transport || "yes").toUpperCase() : "no" } },
  { name: "Last probe", className: "nowrap", key: (peer) => -(peer.lastProbeAt || 0),
    cell: (peer, td) => { td.textContent = age(peer.lastProbeAt) } }
]

let peers = new Map(), status = null, sort = { column: 0, descending: false }, scheduled = false

const headRow = byId("columns")
columns.forEach((column, index) => {
  const th = element("th", column.className === "number" ? "number" : "")
  th.scope = "col"
  const button = element("button", "", column.name)
  button.type = "button"
  button.addEventListener("click", () => {
    sort = { column: index, descending: sort.column === index && !sort.descending }
    draw()
  })
  th.append(button)
  headRow.append(th)
})
byId("filter").addEventListener("input", () => draw())

const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0

const draw = () => {
  scheduled = false
  const wanted = byId("filter").value.trim().toLowerCase()
  const matches = (peer) => wanted === "" ||
    [peer.peerId, peer.agent, peer.address, peer.verdict, findingText(peer), peer.lastFailure]
      .some((text) => text && text.toLowerCase().includes(wanted))
  const key = columns[sort.column].key
  const all = [...peers.values()].filter(matches)
    .sort((a, b) => (sort.descending ? -1 : 1) * compare(key(a), key(b)) || compare(a.peerId, b.peerId))
  ;[...headRow.children].forEach((th, index) =>
    index === sort.column
      ? th.setAttribute("aria-sort", sort.descending ? "descending" : "ascending")
      : th.removeAttribute("aria-sort"))
  const focused = document.activeElement && document.activeElement.dataset.peer
  byId("rows").replaceChildren(...all.slice(0, maxRows).map((peer) => {
    const row = element("tr", peer.peerId === chosen ? "chosen" : "")
    row.dataset.peer = peer.peerId
    row.tabIndex = 0
    for (const column of columns) {
      const td = element("td", column.className)
      column.cell(peer, td)
      row.append(td)
    }
    return row
  }))
  const again = focused && [...byId("rows").children].find((row) => row.dataset.peer === focused)
  if (again) again.focus({ preventScroll: true })
  byId("none").hidden = all.length > 0
  byId("none").textContent = peers.size === 0 ? "No peers yet." : "No peer matches."
  byId("shown").textContent = all.length > maxRows ? "the first " + maxRows + " of " + all.length : String(all.length)
  drawStatus()
}

const auditText = ({ audited, columnsLacking, known, reachable, roundDoneAt }) => {
  const minutes = roundDoneAt === null ? null : Math.max(0, Math.ceil((roundDoneAt - Date.now()) / 60000))
  const round =
    minutes === null
      ? ""
      : "; at this pace all that can be reached are audited in " +
        (minutes < 120 ? minutes + " min" : minutes < 2880 ? Math.ceil(minutes / 60) + " h" : Math.ceil(minutes / 1440) + " days")
  return known + " nodes known, " + reachable + " reachable; audited: " + audited.hour + " within the hour, " + audited.day +
    " within the day, " + audited.window + " within the window of the verdict" + round +
    (columnsLacking === 0 ? "" : "; " + columnsLacking + " columns are held by too few connected peers")
}

const nodeText = ({ condition, headSlot, inUse, name, reason }) =>
  name + (inUse ? " (in use)" : "") + ": " + (condition === "well" ? "well" : condition.replaceAll("_", " ") + (reason ? ", " + reason : "")) +
    (headSlot === null ? "" : ", head " + headSlot)

const reachedText = (own) =>
  own === null
    ? "We publish no ENR: others do not find us."
    : own.advertised.length === 0
      ? "What we are reached at is not known yet. ENR:"
      : "We are reached at " + own.advertised.join(", ") + ". ENR:"

const setText = (id, text) => { if (byId(id).textContent !== text) byId(id).textContent = text }

const drawStatus = () => {
  if (status === null) return
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0]))
  let connected = 0
  for (const peer of peers.values()) { counts[peer.verdict]++; if (peer.connected) connected++ }
  for (const verdict of verdicts) byId("count-" + verdict).textContent = counts[verdict]
  byId("head").textContent = status.headSlot
  byId("connected").textContent = connected + " / " + peers.size
  byId("probes").textContent = status.probes.completed
  byId("verified").textContent = status.outcomes.success
  byId("suspected").textContent = status.custody.suspected
  byId("truth").textContent =
    status.commitments.wanted === 0 ? "\u2013" : Math.floor((100 * status.commitments.known) / status.commitments.wanted) + " %"
  byId("audit").textContent = auditText(status.audit)
  setText("nodes", status.beaconNodes.length === 0 ? "" : "Beacon nodes: " + status.beaconNodes.map(nodeText).join("; "))
  setText("reached", reachedText(status.ownRecord))
  setText("enr", status.ownRecord === null ? "" : status.ownRecord.enr)
  byId("network").textContent = status.network
  const doubts = status.doubts.length === 0 ? "" : "The monitor is in doubt: " + status.doubts.join("; ")
  byId("doubts").hidden = doubts === ""
  setText("doubts", doubts)
  byId("simulated").hidden = !status.simulated
  byId("simulated").textContent = "Simulated network: " + status.network +
    " runs on this machine, and some of its peers are dishonest on purpose."
  document.title = counts.violating > 0 ? "(" + counts.violating + ") dasmon" : "dasmon"
}

const schedule = () => {
  if (scheduled) return
  scheduled = true
  setTimeout(draw, 300)
}

const tell = (kind, className, peerId, text, at) => {
  const item = element("li")
  const head = element("div", "head")
  head.append(element("span", "badge " + className, kind.replaceAll("_", " ")))
  const time = element("time", "", new Date(at).toLocaleTimeString())
  time.dateTime = new Date(at).toISOString()
  head.append(time)
  const who = element("div", "quiet")
  const peer = peers.get(peerId)
  who.append(idOf(peerId), peer && peer.agent ? " " + peer.agent.split("/")[0] : "")
  item.append(head, who, element("div", "", text))
  const feed = byId("feed")
  feed.prepend(item)
  while (feed.children.length > maxFeed) feed.lastElementChild.remove()
  byId("quiet").hidden = true
}

const addFindings = (peer, findings) => {
  for (const { kind } of findings) peer.findings[kind] = (peer.findings[kind] || 0) + 1
}

const onProbe = (probe, timestamp) => {
  const peer = peers.get(probe.job.peerId)
  const failed = new Map()
  for (const { outcome, reason } of probe.outcomes) {
    if (peer) peer.outcomes[outcome]++
    if (status) status.outcomes[outcome]++
    if (!blame[outcome]) continue
    const entry = failed.get(outcome)
    if (entry) entry.count++
    else failed.set(outcome, { count: 1, reason: reason || outcome })
    if (peer && reason) peer.lastFailure = reason
  }
  if (status) status.probes.completed++
  if (peer) { addFindings(peer, probe.findings); peer.lastProbeAt = probe.finishedAt }
  for (const { kind, detail } of probe.findings) tell(kind, "finding", probe.job.peerId, detail, timestamp)
  for (const [outcome, { count, reason }] of failed) {
    tell(outcome, blame[outcome], probe.job.peerId, count > 1 ? reason + " (and " + (count - 1) + " more)" : reason, timestamp)
  }
}

const onTracking = ({ change, detail, peer, peerId, timestamp }) => {
  if (change === "forgotten") peers.delete(peerId)
  else peers.set(peerId, peer)
  if (change === "verdict") tell(peer.verdict, peer.verdict, peerId, "Verdict: " + peer.verdict + (detail ? ". " + detail : ""), timestamp)
  if (change === "failed") tell("failed", "unproven", peerId, detail, timestamp)
}

const onCustody = ({ peerId, claim, findings, timestamp }) => {
  const peer = peers.get(peerId)
  if (peer) {
    peer.custody = { groupCount: claim.custodyGroupCount, columns: claim.columns,
      earliestAvailableSlot: claim.earliestAvailableSlot, source: claim.source }
    peer.headSlot = claim.headSlot
    addFindings(peer, findings)
  }
  for (const { kind, detail } of findings) tell(kind, "finding", peerId, detail, timestamp)
}

let delay = 500
const setLink = (state, text) => {
  if (byId("link").textContent === text) return
  byId("link").dataset.state = state
  byId("link").textContent = text
}

const connect = () => {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws")
  let heard = Date.now()
  // A heartbeat comes every 15 s: without two of them the connection is dead, whatever the browser thinks.
  const watch = setInterval(() => { if (Date.now() - heard > 40000) socket.close() }, 5000)
  socket.addEventListener("message", ({ data }) => {
    heard = Date.now()
    const message = JSON.parse(data)
    switch (message._tag) {
      case "Snapshot":
        delay = 500
        peers = new Map(message.peers.map((peer) => [peer.peerId, peer]))
        status = message.status
        setLink("live", "live")
        draw()
        break
      case "Sampling": onProbe(message.probe, message.timestamp); break
      case "NodeTracking": onTracking(message); break
      case "CustodyUpdate": onCustody(message); break
      case "SystemSnapshot": status = message.status; break
      // What was lost is in the next snapshot.
      case "Gap": socket.close(); break
    }
    schedule()
  })
  socket.addEventListener("close", () => {
    clearInterval(watch)
    setLink("lost", "connection lost, trying again")
    setTimeout(connect, delay * (0.75 + Math.random() / 2))
    delay = Math.min(delay * 2, 15000)
  })
}

setInterval(schedule, 5000)
connect()
