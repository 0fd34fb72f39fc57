let chosen = null

const percent = (fraction) => (Math.floor(fraction * 1000) / 10) + " %"
const ask = (path) => fetch(path).then((response) => response.ok ? response.json() : Promise.reject(new Error("HTTP " + response.status)))
const fact = (name, value) => {
  const row = element("div", "fact")
  row.append(element("dt", "", name), element("dd", "", value))
  return row
}

const drawPeer = (peer) => {
  const { coverage, custody } = peer
  const facts = element("dl", "facts")
  facts.append(fact("Peer", peer.peerId), fact("Agent", peer.agent || "\u2013"), fact("Address", peer.address || "\u2013"), fact("Verdict", peer.verdict))
  facts.append(fact("Claim", custody === null ? "\u2013" : custody.groupCount + " groups (" + custody.source + "), from slot " +
    (custody.earliestAvailableSlot === null ? "not said" : custody.earliestAvailableSlot) + ", columns " + custody.columns.join(" ")))
  if (peer.claims.length > 1) facts.append(fact("Earlier claims", peer.claims.slice(0, -1).reverse().slice(0, 5)
    .map(({ custodyGroupCount, observedAt }) => custodyGroupCount + " groups, " + age(observedAt)).join("; ")))
  facts.append(fact("Tested", coverage === null ? "\u2013" : coverage.tested + " of " + coverage.owed + " owed, " + coverage.failed + " failed"))
  if (coverage !== null && coverage.withheld !== null) facts.append(fact("Withholds",
    percent(coverage.withheld.low) + " to " + percent(coverage.withheld.high) + " of what it owes (95 % sure)"))
  if (coverage !== null && coverage.proven !== null) facts.append(fact("Proven", percent(coverage.proven.share) + " of what was tested"))
  if (peer.suspicions > 0) facts.append(fact("Suspected", peer.suspicions + " columns, to be asked for again: " + peer.suspected.slice(0, 5)
    .map(({ slot, columns }) => "slot " + slot + " (" + columns.map(({ column, suspicion }) => suspicion.replaceAll("_", " ") + " " + column).join(", ") + ")").join("; ")))
  if (peer.recovered > 0) facts.append(fact("Recovered", peer.recovered + " columns that had failed came later"))
  const failures = element("ol", "failures")
  for (const { at, combinations, outcome, reason } of peer.failures.slice(0, 10)) {
    const item = element("li")
    item.append(element("span", "badge " + (blame[outcome] || ""), outcome), " ", element("span", "quiet", age(at)),
      element("div", "", (reason || outcome) + (combinations > 1 ? " (" + combinations + " combinations)" : "")))
    failures.append(item)
  }
  byId("detail-body").replaceChildren(facts, element("h3", "", peer.failures.length === 0 ? "No failures" : "Last failures"), failures)
}

const loadPeer = () => {
  const peerId = chosen
  if (peerId === null) return
  ask("peers/" + peerId).then(
    (peer) => { if (chosen === peerId) drawPeer(peer) },
    (error) => { if (chosen === peerId) byId("detail-body").textContent = "This peer could not be loaded: " + error.message })
}

const choose = (peerId) => {
  chosen = peerId
  history.replaceState(null, "", peerId === null ? location.pathname : "#" + peerId)
  byId("detail").hidden = peerId === null
  byId("detail-body").textContent = "Loading \u2026"
  loadPeer()
  schedule()
}

// Rows are drawn again all the time: a click that ends on another row would be lost.
byId("rows").addEventListener("pointerdown", ({ button, target }) => {
  const row = target.closest("tr")
  if (row && button === 0) choose(row.dataset.peer)
})
byId("rows").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== " ") return
  event.preventDefault()
  choose(event.target.closest("tr").dataset.peer)
})
byId("detail-close").addEventListener("click", () => choose(null))

const strip = Array.from({ length: 128 }, () => element("span", "cell"))
byId("strip").append(...strip)
const loadColumns = () => ask("columns").then(({ columns }) => {
  let tested = 0
  for (const { blamed, claimed, column, compliance, tested: count } of columns) {
    const cell = strip[column]
    if (count > 0) tested++
    cell.className = "cell" + (compliance === null ? "" : blamed === 0 ? " good" : " bad")
    cell.style.opacity = compliance === null || blamed === 0 ? "" : String(0.35 + 0.65 * (1 - compliance))
    cell.title = "column " + column + ": claimed by " + claimed + " peers, " + count + " tested, " + blamed + " blamed on peers"
  }
  byId("strip-note").textContent = tested + " of 128 tested; red: some peer did not have it"
}, () => {})

if (/^#\w+$/.test(location.hash)) choose(location.hash.slice(1))
setInterval(() => { loadPeer(); loadColumns() }, 10000)
loadColumns()
