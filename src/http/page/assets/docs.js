"use strict"
const element = (tag, className, ...content) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...content.filter((part) => part !== undefined))
  return made
}
const main = document.getElementById("main")
let schemas = {}

// What stands in backquotes is code.
const prose = (tag, text) =>
  element(tag, "", ...(text || "").split("`").map((part, index) => index % 2 === 1 ? element("code", "", part) : part))

const nameOf = (ref) => ref.slice(ref.lastIndexOf("/") + 1)

// A schema in the short form of a type, and the names of others that it mentions.
const typeOf = (schema, indent, named) => {
  if (!schema || Object.keys(schema).length === 0) return "anything"
  if (schema.$ref) {
    const name = nameOf(schema.$ref)
    if (name === "Int") return "integer"
    named.add(name)
    return name
  }
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ")
  const union = schema.anyOf || schema.oneOf
  if (union) return union.map((member) => typeOf(member, indent, named)).join(" | ")
  if (schema.type === "array") {
    const item = typeOf(schema.items, indent, named)
    return (/[ |]/.test(item) && !item.startsWith("{") ? "(" + item + ")" : item) + "[]"
  }
  if (schema.type === "object" && schema.properties) {
    const required = new Set(schema.required || [])
    const lines = Object.entries(schema.properties).map(([key, value]) =>
      indent + "  " + key + (required.has(key) ? ": " : "?: ") + typeOf(value, indent + "  ", named))
    return lines.length === 0 ? "{}" : "{\n" + lines.join("\n") + "\n" + indent + "}"
  }
  return schema.type || "anything"
}

const typeBlock = (schema) => {
  const named = new Set()
  const text = typeOf(schema, "", named)
  const pre = element("pre", "")
  for (const part of text.split(/\b/)) {
    if (named.has(part)) {
      const link = element("a", "", part)
      link.href = "#schema-" + part
      pre.append(link)
    } else pre.append(part)
  }
  return pre
}

const rangeOf = (schema) => schema.minimum === undefined ? "" : ", " + schema.minimum + " to " + schema.maximum

const parameters = (list) => {
  const table = element("table", "")
  for (const { name, in: place, required, schema, description } of list) {
    table.append(element("tr", "", element("td", "", element("code", "", name)), element("td", "quiet", place + (required ? ", required" : "")),
      element("td", "", typeOf(schema, "", new Set()) + rangeOf(schema)), prose("td", description)))
  }
  return element("div", "scroll", table)
}

const responses = (all) => Object.entries(all).map(([status, { content, description }]) => {
  const schema = Object.values(content || {})[0]?.schema
  const summary = element("summary", "", element("code", status < 300 ? "good" : "bad", status), " ", status < 300 ? "the answer" : description)
  return element("details", "", summary, schema ? typeBlock(schema) : undefined)
})

const operation = (path, method, { description, parameters: list, responses: all }) => {
  const title = element("h3", "", element("span", "method " + method, method.toUpperCase()), " ", element("code", "", path))
  if (method === "get" && !path.includes("{")) {
    const link = element("a", "try", "open")
    link.href = path
    title.append(link)
  }
  return element("article", "", title, prose("p", description), list.length > 0 ? parameters(list) : undefined, ...responses(all))
}

const draw = (api) => {
  schemas = api.components.schemas
  document.getElementById("about").replaceChildren(prose("span", api.info.description))
  document.getElementById("version").textContent = api.info.version
  const nodes = []
  for (const { name, description } of api.tags) {
    nodes.push(element("h2", "", name), element("p", "quiet", description || ""))
    for (const [path, item] of Object.entries(api.paths)) {
      for (const [method, one] of Object.entries(item)) if (one.tags.includes(name)) nodes.push(operation(path, method, one))
    }
  }
  nodes.push(element("h2", "", "schemas"))
  for (const [name, schema] of Object.entries(schemas)) {
    if (name === "Int") continue
    const entry = element("article", "", element("h3", "", name), schema.description ? element("p", "", schema.description) : undefined, typeBlock(schema))
    entry.id = "schema-" + name
    nodes.push(entry)
  }
  main.replaceChildren(...nodes)
}

fetch("openapi.json")
  .then((response) => response.ok ? response.json() : Promise.reject(new Error(response.status)))
  .then(draw)
  .catch((error) => { main.textContent = "The description could not be loaded: " + error.message })
