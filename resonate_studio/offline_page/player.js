"use strict";
// Sound of several versions on one clock: every piece is started for all of them at one sample, and switching is two
// gains that cross. Segments come from scripts, since a page opened from disk may not fetch files.

const RATE = 48000;
const RAMP_S = 0.005;
const AHEAD_S = 2;
const KEPT_SEGMENTS = 8;
const KEPT_PARTS = 3;

class Sounds {
  // versions: [{id, folder}]; segment: frames of one; perPart: segments in a script; lead: frames before each.
  constructor(context, facts) {
    this.context = context;
    this.facts = facts;
    this.parts = new Map();
    this.buffers = new Map();
  }

  // Of all versions: the segment's own frames, decoded.
  async segment(number) {
    let wanted = this.buffers.get(number);
    if (!wanted) {
      wanted = Promise.all(this.facts.versions.map((version) => this.decoded(version, number)));
      wanted.catch(() => this.buffers.delete(number));
    }
    this.buffers.delete(number);
    this.buffers.set(number, wanted); // the one asked for last stands last
    while (this.buffers.size > KEPT_SEGMENTS) this.buffers.delete(this.buffers.keys().next().value);
    return wanted;
  }

  async decoded(version, number) {
    const {lead, perPart, segment, frames} = this.facts;
    const part = await this.part(version, Math.floor(number / perPart));
    const bytes = Uint8Array.from(atob(part[number % perPart]), (letter) => letter.charCodeAt(0));
    const whole = await this.context.decodeAudioData(bytes.buffer);
    const own = Math.min(segment, frames - number * segment);
    const buffer = this.context.createBuffer(2, own, RATE);
    for (const channel of [0, 1]) {
      const from = whole.getChannelData(Math.min(channel, whole.numberOfChannels - 1));
      buffer.copyToChannel(from.subarray(lead, lead + own), channel);
    }
    return buffer;
  }

  part(version, number) {
    const name = `${version.folder}/${number}`;
    let wanted = this.parts.get(name);
    if (!wanted) {
      wanted = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `audio/${name}.js`;
        script.onload = () => {
          script.remove();
          const sound = Sounds.arrived.get(name);
          Sounds.arrived.delete(name);
          if (sound) resolve(sound);
          else reject(new Error(`audio/${name}.js holds no sound`));
        };
        script.onerror = () => {
          script.remove();
          reject(new Error(`audio/${name}.js can't be read: is the whole folder there?`));
        };
        document.head.append(script);
      });
      wanted.catch(() => this.parts.delete(name));
    }
    this.parts.delete(name);
    this.parts.set(name, wanted);
    const most = KEPT_PARTS * this.facts.versions.length;
    while (this.parts.size > most) this.parts.delete(this.parts.keys().next().value);
    return wanted;
  }
}
Sounds.arrived = new Map();

// Called by the scripts in audio/.
function resonateSound(name, segments) {
  Sounds.arrived.set(name, segments);
}

class Player {
  // facts: {versions: [{id, folder, match}], spans: [[from, to]] in frames, frames, segment, perPart, lead}.
  // changed(): whenever something that is shown may be another.
  constructor(facts, changed) {
    this.facts = facts;
    this.changed = changed;
    this.active = 0;
    this.matched = true;
    this.volume = 0.8;
    this.loop = null;
    this.frame = facts.spans[0][0];
    this.playing = false;
    this.trouble = "";
    this.turn = 0;
    this.pieces = [];
    this.sources = new Set();
  }

  open(context) {
    this.context = context || new AudioContext({sampleRate: RATE, latencyHint: "interactive"});
    this.sounds = new Sounds(this.context, this.facts);
    this.out = this.context.createGain();
    this.out.gain.value = this.volume;
    this.out.connect(this.context.destination);
    this.gains = this.facts.versions.map((version, number) => {
      const gain = this.context.createGain();
      gain.gain.value = this.level(number);
      gain.connect(this.out);
      return gain;
    });
  }

  level(number) {
    if (number !== this.active) return 0;
    return this.matched ? 10 ** (this.facts.versions[number].match / 20) : 1;
  }

  // Coherent signals cross without a dip in a straight line.
  switchTo(number) {
    this.active = number;
    this.cross();
    this.changed();
  }

  match(on) {
    this.matched = on;
    this.cross();
    this.changed();
  }

  cross() {
    if (!this.context) return;
    const now = this.context.currentTime;
    this.gains.forEach((gain, number) => {
      const value = gain.gain.value;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(value, now);
      gain.gain.linearRampToValueAtTime(this.level(number), now + RAMP_S);
    });
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.context) this.out.gain.setTargetAtTime(volume, this.context.currentTime, 0.01);
  }

  // Where it is heard now, in frames.
  position() {
    if (!this.playing || !this.pieces.length) return this.frame;
    const now = this.context.currentTime;
    let heard = this.pieces[0];
    for (const piece of this.pieces) if (piece.at <= now) heard = piece;
    const since = Math.max(0, Math.round((now - heard.at) * RATE));
    return heard.frame + Math.min(since, heard.frames);
  }

  async play() {
    if (!this.context) this.open();
    await this.context.resume();
    this.playing = true;
    this.trouble = "";
    this.changed();
    await this.run();
  }

  pause() {
    this.frame = this.position();
    this.playing = false;
    this.silence();
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else void this.play();
  }

  seek(frame) {
    this.frame = this.within(frame);
    if (this.playing) void this.run();
    this.changed();
  }

  setLoop(from, to) {
    const at = this.position();
    this.loop = from === null || to - from < RATE / 10 ? null : [Math.max(0, from), Math.min(this.facts.frames, to)];
    if (this.loop) this.loop = this.cutToSpan(this.loop);
    this.frame = this.loop && (at < this.loop[0] || at >= this.loop[1]) ? this.loop[0] : at;
    if (this.playing) void this.run();
    this.changed();
  }

  cutToSpan([from, to]) {
    const span = this.facts.spans.find(([first, last]) => from < last && to > first);
    return span && Math.min(to, span[1]) - Math.max(from, span[0]) >= RATE / 10
      ? [Math.max(from, span[0]), Math.min(to, span[1])]
      : null;
  }

  // The frame, or where the next part that can be heard begins.
  within(frame) {
    frame = Math.max(0, Math.min(frame, this.facts.frames));
    for (const [first, last] of this.facts.spans) if (frame < last) return Math.max(first, frame);
    return this.facts.spans[0][0];
  }

  silence() {
    this.turn += 1;
    for (const source of this.sources) source.stop();
    this.sources.clear();
    this.pieces = [];
  }

  // Starts piece after piece, until somebody does something else.
  async run() {
    this.silence();
    const turn = this.turn;
    let frame = this.frame;
    let next = 0;
    try {
      while (turn === this.turn) {
        if (this.loop && frame >= this.loop[1]) frame = this.loop[0];
        const span = this.facts.spans.find(([first, last]) => frame >= first && frame < last);
        if (!span) break;
        const number = Math.floor(frame / this.facts.segment);
        const end = Math.min((number + 1) * this.facts.segment, span[1], this.loop ? this.loop[1] : Infinity);
        const buffers = await this.sounds.segment(number);
        if (turn !== this.turn) return;
        // On a sample; late only if a disk was: then all versions are as late.
        const at = Math.max(next, Math.ceil((this.context.currentTime + 0.03) * RATE));
        this.start(buffers, at, frame - number * this.facts.segment, end - frame);
        this.pieces.push({at: at / RATE, frame, frames: end - frame});
        if (this.pieces.length > 64) this.pieces.shift();
        next = at + end - frame;
        frame = end;
        const following = this.loop && frame >= this.loop[1] ? this.loop[0] : frame;
        if (this.facts.spans.some(([first, last]) => following >= first && following < last)) {
          this.sounds.segment(Math.floor(following / this.facts.segment)).catch(() => {});
        }
        await this.until(next / RATE - AHEAD_S, turn);
      }
      await this.until(next / RATE, turn);
      if (turn !== this.turn) return;
      this.frame = this.within(frame);
      this.playing = false;
      this.silence();
    } catch (error) {
      if (turn !== this.turn) return;
      this.playing = false;
      this.silence();
      this.trouble = error.message;
    }
    this.changed();
  }

  start(buffers, at, offset, frames) {
    buffers.forEach((buffer, number) => {
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.gains[number]);
      source.onended = () => this.sources.delete(source);
      this.sources.add(source);
      source.start(at / RATE, offset / RATE, frames / RATE);
    });
  }

  async until(seconds, turn) {
    while (turn === this.turn && this.context.currentTime < seconds) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
