// `npm run read -- FILE`: what openDAW's reader finds in a DAWproject, as JSON.
import { readFileSync } from "node:fs"
import { register } from "node:module"

// openDAW's packages are made for bundlers, and import without file extensions.
const resolve = "export const resolve = (name, from, next) => next(name, from).catch(() => next(`${name}.js`, from))"
register(`data:text/javascript,${encodeURIComponent(resolve)}`)
console.debug = console.log = () => {} // they greet

const { JSDOM } = await import("jsdom")
globalThis.DOMParser = new JSDOM("").window.DOMParser
const { default: JSZip } = await import("jszip")
const { Xml } = await import("@opendaw/lib-xml")
const { MetaDataSchema, ProjectSchema } = await import("@opendaw/lib-dawproject")

const zip = await JSZip.loadAsync(readFileSync(process.argv[2]))
const parsed = async (name, schema) => Xml.parse(await zip.file(name).async("text"), schema)
const sizes = {}
for (const file of Object.values(zip.files)) sizes[file.name] = (await file.async("uint8array")).length

// What kind of timeline something is, JSON would not tell.
const typed = (_, value) =>
  value && typeof value === "object" && !Array.isArray(value) ? { type: value.constructor.name, ...value } : value
const found = {
  metadata: await parsed("metadata.xml", MetaDataSchema),
  project: await parsed("project.xml", ProjectSchema),
  sizes,
}
process.stdout.write(JSON.stringify(found, typed))
