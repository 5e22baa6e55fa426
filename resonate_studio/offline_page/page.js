"use strict";
// What is seen. Every text of a user's goes into the page as text, never as HTML.

const facts = window.RESONATE;
const at = (id) => document.getElementById(id);
const make = (tag, text, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
// Lengths are rounded as in the studio; where one is, is told by whole seconds that have passed.
const clock = (seconds) => {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = String(Math.floor(whole / 60) % 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${minutes.padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};
// In the studio's own words: "true peak" → "True peak".
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const measured = (value, unit) => {
  if (value === null) return "–";
  return unit === "Hz" ? `${(value / 1000).toFixed(1)} kHz` : `${value.toFixed(1).replace("-", "−")} ${unit}`;
};
// Minus signs, sharps and flats as they are printed.
const typeset = (text) =>
  text
    .replace(/(^|[^A-Za-z0-9])([A-G])#/g, "$1$2♯")
    .replace(/(^|[^A-Za-z0-9])([A-G])b(?=$|[^a-z]|m|sus|dim|aug|add)/g, "$1$2♭")
    .replace(/(^|[\s(±,])-(?=\d)/g, "$1−");
// How likely as many right answers or more are by guessing: exact, as logarithms, since 2^1000 is no number.
const guessed = (right, count) => {
  let total = 0;
  let log = -count * Math.LN2;
  for (let k = 0; k <= count; k += 1) {
    if (k >= right) total += Math.exp(log);
    log += Math.log((count - k) / (k + 1));
  }
  return Math.min(1, total);
};

const player = new Player(facts, show);
const test = {running: false, a: 0, b: 0, x: "a", trials: [], heard: "x", began: "", result: null};
let drag = null;

function show() {
  at("play").textContent = player.playing ? "Pause" : "Play";
  at("state").textContent = player.trouble;
  at("match").setAttribute("aria-pressed", String(player.matched));
  at("match").disabled = test.running;
  at("loop-off").disabled = !player.loop;
  for (const button of at("versions").children) {
    const chosen = !test.running && Number(button.dataset.number) === player.active;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = Number(button.dataset.number) === player.active ? 0 : -1;
    button.disabled = test.running;
  }
  for (const name of ["a", "x", "b"]) {
    at(`hear-${name}`).setAttribute("aria-pressed", String(test.running && test.heard === name));
  }
  showTime();
}

function showTime() {
  const seconds = player.position() / RATE;
  const total = facts.frames / RATE;
  at("time").textContent = `${clock(Math.floor(seconds))} of ${clock(total)}`;
  const seek = at("seek");
  seek.setAttribute("aria-valuemax", total.toFixed(1));
  seek.setAttribute("aria-valuenow", seconds.toFixed(1));
  seek.setAttribute("aria-valuetext", clock(seconds));
  draw();
}

function draw() {
  const canvas = at("wave");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  const x = (frame) => (frame / facts.frames) * width;
  // While a test runs, the wave is that of A, whatever is heard: it must not tell.
  const shown = facts.versions[test.running ? test.a : player.active];
  const peaks = shown.peaks;
  const columns = peaks.length / 2;
  const position = x(player.position());
  for (let column = 0; column < width; column += 1) {
    const first = Math.floor((column * columns) / width);
    const last = Math.max(first + 1, Math.floor(((column + 1) * columns) / width));
    let low = 127;
    let high = -127;
    for (let each = first; each < last; each += 1) {
      low = Math.min(low, peaks[2 * each]);
      high = Math.max(high, peaks[2 * each + 1]);
    }
    const frame = (column / width) * facts.frames;
    const there = facts.spans.some(([from, to]) => frame >= from && frame < to);
    pen.globalAlpha = there ? 1 : 0.25;
    pen.fillStyle = colour(column <= position ? "accent" : "wave");
    const top = (0.5 - high / 256) * height;
    pen.fillRect(column, top, 1, Math.max(1, ((high - low) / 256) * height));
  }
  pen.globalAlpha = 1;
  const looped = drag && drag.moved ? [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] : player.loop;
  if (looped) {
    pen.fillStyle = colour("accent");
    pen.globalAlpha = 0.2;
    pen.fillRect(x(looped[0]), 0, x(looped[1]) - x(looped[0]), height);
    pen.globalAlpha = 1;
  }
  pen.fillStyle = colour("text");
  pen.fillRect(position, 0, Math.max(1, scale), height);
}

function tick() {
  if (player.playing) showTime();
  requestAnimationFrame(tick);
}

function fill() {
  document.title = `${facts.title} – listen`;
  at("title").textContent = facts.title;
  at("artist").textContent = facts.artist || "";
  at("artist").hidden = !facts.artist;
  facts.versions.forEach((version, number) => {
    version.peaks = Int8Array.from(atob(version.peaks), (letter) => letter.charCodeAt(0));
    const button = make("button");
    if (number < 9) {
      const key = make("kbd", String(number + 1));
      key.setAttribute("aria-hidden", "true");
      button.append(key, " ");
    }
    button.append(version.label);
    if (version.loudness !== null) button.append(" ", make("span", measured(version.loudness, "LUFS"), "soft figures"));
    if (version.generated) button.append(make("span", "Synthesised", "tag"));
    Object.assign(button, {type: "button", role: "radio"});
    button.setAttribute("role", "radio");
    button.dataset.number = String(number);
    if (number < 9) button.setAttribute("aria-keyshortcuts", String(number + 1));
    button.addEventListener("click", () => player.switchTo(number));
    at("versions").append(button);
    for (const select of [at("abx-a"), at("abx-b")]) select.append(new Option(version.label, String(number)));
    const item = make("li");
    if (version.file) {
      const link = make("a", version.file);
      link.href = `audio/${version.file}`;
      link.download = "";
      item.append(`${version.label}: `, link);
      at("files").append(item);
    }
  });
  at("files").closest("section").hidden = !at("files").children.length;
  at("abx-b").value = String(facts.compared);
  if (facts.spans.length > 1 || facts.spans[0][1] < facts.frames) {
    at("excerpts-told").textContent = "The track is long: only excerpts of it are here.";
    at("excerpts-told").hidden = at("excerpts").hidden = false;
    for (const [from, to] of facts.spans) {
      const button = make("button", `${clock(from / RATE)} to ${clock(to / RATE)}`);
      button.type = "button";
      button.addEventListener("click", () => player.seek(from));
      at("excerpts").append(button);
    }
  }
  const {accepted, reasons, total, measures, dimensions} = facts.quality;
  const likeness = total === null ? "" : ` Like the original: ${Math.round(total)} of 100.`;
  const judged = accepted === null ? "Not judged yet." : accepted ? "Accepted." : "Not accepted.";
  at("verdict").textContent = judged + likeness;
  at("verdict").classList.add(accepted === false ? "bad" : "good");
  for (const reason of reasons) at("reasons").append(make("li", typeset(reason)));
  const rows = at("measures").tBodies[0];
  for (const {name, unit, before, after, better} of measures) {
    const row = rows.insertRow();
    const head = make("th", sentence(name));
    head.scope = "row";
    row.append(head);
    for (const value of [before, after]) row.append(make("td", measured(value, unit)));
    const told = better === null ? "" : better ? "better" : "worse";
    row.append(make("td", told, better === null ? "" : better ? "good" : "bad"));
  }
  for (const {name, score: value, detail} of dimensions) {
    const meter = Object.assign(make("meter"), {min: 0, max: 100, value});
    meter.setAttribute("aria-label", sentence(name));
    const term = make("dt", sentence(name));
    term.title = typeset(detail);
    const bar = make("dd");
    bar.append(meter);
    at("dimensions").append(term, bar, make("dd", String(Math.round(value))));
  }
  at("dimensions-heading").hidden = !dimensions.length;
  at("measures").hidden = !measures.length;
  at("made").textContent = facts.made;
  at("page").hidden = false;
}

function frameAt(event) {
  const box = at("seek").getBoundingClientRect();
  return Math.round(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * facts.frames);
}

function listen() {
  at("play").addEventListener("click", () => player.toggle());
  at("match").addEventListener("click", () => player.match(!player.matched));
  at("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  at("loop-from").addEventListener("click", loopFrom);
  at("loop-to").addEventListener("click", loopTo);
  at("loop-off").addEventListener("click", () => player.setLoop(null));
  const seek = at("seek");
  seek.addEventListener("pointerdown", (event) => {
    seek.setPointerCapture(event.pointerId);
    drag = {from: frameAt(event), to: frameAt(event), x: event.clientX, moved: false};
  });
  seek.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.to = frameAt(event);
    drag.moved = drag.moved || Math.abs(event.clientX - drag.x) > 6;
    draw();
  });
  seek.addEventListener("pointerup", () => {
    if (!drag) return;
    const {from, to, moved} = drag;
    drag = null;
    if (moved) player.setLoop(Math.min(from, to), Math.max(from, to));
    else player.seek(from);
  });
  seek.addEventListener("pointercancel", () => (drag = null));
  at("abx-start").addEventListener("click", beginTest);
  for (const name of ["a", "x", "b"]) at(`hear-${name}`).addEventListener("click", () => hear(name));
  at("x-is-a").addEventListener("click", () => answer("a"));
  at("x-is-b").addEventListener("click", () => answer("b"));
  at("abx-finish").addEventListener("click", finishTest);
  at("abx-stop").addEventListener("click", () => endTest("Given up: nothing is kept."));
  at("abx-save").addEventListener("click", saveResult);
  at("versions").addEventListener("keydown", (event) => {
    const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const count = facts.versions.length;
    player.switchTo((player.active + by + count) % count);
    at("versions").children[player.active].focus();
  });
  document.addEventListener("keydown", pressed);
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

let loopStart = 0;
function loopFrom() {
  loopStart = player.position();
  at("state").textContent = `The loop begins at ${clock(loopStart / RATE)}.`;
}
function loopTo() {
  player.setLoop(loopStart, player.position());
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  const onButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
  const key = event.key.toLowerCase();
  const step = 5 * RATE;
  const acts = {
    "arrowleft": () => player.seek(player.position() - step),
    "arrowright": () => player.seek(player.position() + step),
    "home": () => player.seek(0),
    "[": loopFrom,
    "]": loopTo,
    "l": () => player.setLoop(null),
  };
  if (test.running) {
    for (const name of ["a", "x", "b"]) acts[name] = () => hear(name);
  } else {
    acts.m = () => player.match(!player.matched);
    if (/^[1-9]$/.test(key) && Number(key) <= facts.versions.length) acts[key] = () => player.switchTo(Number(key) - 1);
  }
  if (key === " " && !onButton) acts[" "] = () => player.toggle();
  if (!acts[key]) return;
  event.preventDefault();
  acts[key]();
}

function beginTest() {
  const a = Number(at("abx-a").value);
  const b = Number(at("abx-b").value);
  if (a === b) {
    at("abx-state").textContent = "Choose two that are not the same.";
    return;
  }
  Object.assign(test, {running: true, a, b, trials: [], began: new Date().toISOString(), result: null});
  player.match(true);
  at("abx-test").hidden = false;
  at("abx-save").hidden = true;
  for (const name of ["abx-start", "abx-a", "abx-b", "abx-listener"]) at(name).disabled = true;
  at("abx-finish").disabled = true;
  nextTrial();
  if (!player.playing) void player.play();
  at("hear-x").focus();
}

function nextTrial() {
  test.x = crypto.getRandomValues(new Uint8Array(1))[0] & 1 ? "a" : "b";
  at("abx-state").textContent = `Trial ${test.trials.length + 1}`;
  hear("x");
}

function hear(name) {
  test.heard = name;
  player.switchTo(test[name === "x" ? test.x : name]);
}

function answer(said) {
  test.trials.push({x: test.x, answer: said});
  at("abx-finish").disabled = test.trials.length < 10;
  if (test.trials.length < 1000) nextTrial();
  else finishTest();
}

function finishTest() {
  const right = test.trials.filter((trial) => trial.x === trial.answer).length;
  const p = guessed(right, test.trials.length);
  const loop = player.loop || [0, facts.frames];
  test.result = {
    track: facts.track,
    at: test.began,
    a: facts.versions[test.a].id,
    b: facts.versions[test.b].id,
    listener: at("abx-listener").value,
    start_s: loop[0] / RATE,
    end_s: loop[1] / RATE,
    loudness_matched: true,
    trials: test.trials,
    right,
    p,
  };
  const told = p < 0.0001 ? "less than 0.0001" : p.toFixed(4);
  const verdict = p < 0.05 ? "You hear it." : "That may be guessing.";
  endTest(`${right} of ${test.trials.length} right; by guessing, as many or more come with p = ${told}. ${verdict}`);
  at("abx-save").hidden = false;
}

function endTest(said) {
  test.running = false;
  at("abx-test").hidden = true;
  for (const name of ["abx-start", "abx-a", "abx-b", "abx-listener"]) at(name).disabled = false;
  at("abx-state").textContent = said;
  at("abx-start").focus();
  show();
}

function saveResult() {
  const url = URL.createObjectURL(new Blob([JSON.stringify(test.result, null, 1)], {type: "application/json"}));
  const link = Object.assign(make("a"), {href: url, download: `listening-test-${facts.track}.json`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

fill();
listen();
show();
requestAnimationFrame(tick);
