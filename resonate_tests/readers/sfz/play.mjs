// `npm run play -- FILE.sfz NOTES.json OUT.f32 RATE SECONDS`: notes, as [onset, end or null, key, velocity] in seconds,
// played by smplr; written as 32-bit floats, two channels one after the other.
import { readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { OfflineAudioContext } from "node-web-audio-api"
import { Scheduler, Versilian } from "smplr"

const [sfz, notes, out, rate, seconds] = process.argv.slice(2)
const context = new OfflineAudioContext(2, Math.ceil(rate * seconds), Number(rate))

// The player of SFZ that smplr has is that of one library's site: it is given ours. It asks for samples as .ogg.
const name = basename(sfz, ".sfz")
globalThis.fetch = async (url) => {
  const path = decodeURIComponent(String(url)).replace("https://smpldsnds.github.io/sgossner-vcsl/", "")
  return new Response(readFileSync(join(dirname(sfz), path.replace(/\.(ogg|m4a)$/, ".wav"))))
}
const player = Versilian(context, {
  instrument: name,
  volume: 127, // 0 dB
  scheduler: Scheduler(context, { lookaheadMs: 1e12 }), // all at once: offline, no time passes before rendering
})
await player.ready
for (const [onset, end, note, velocity] of JSON.parse(readFileSync(notes)))
  player.start({ note, velocity, time: onset, duration: end === null ? undefined : end - onset })
const rendered = await context.startRendering()
const channels = [0, 1].map((channel) => Buffer.from(rendered.getChannelData(channel).buffer))
writeFileSync(out, Buffer.concat(channels))
process.exit(0)
