// One-letter keys for the desk, from one list; never while somebody types. The sheet is made from the same list.
const OFF = "lian_keys";
const first = (selector) => document.querySelector(selector);
const rows = () => [...document.querySelectorAll("tr[data-row]")];
const nameOf = (row) => row.dataset.id ?? row.querySelector("a.stretch")?.href;
let here = "";
let ticked = "";

const row = () => rows().find((one) => one.classList.contains("here"));
const tick = (one) => one?.querySelector('input[name="task"]');

function stand(one, focus = true) {
  for (const other of rows()) other.classList.toggle("here", other === one);
  here = one ? nameOf(one) : "";
  if (!one || !focus) return;
  one.querySelector("a.stretch")?.focus({ preventScroll: true });
  one.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(row());
  stand(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]);
  return true;
}

function mark(value, ...some) {
  for (const box of some.map(tick)) if (box) box.checked = value;
  tick(some[0])?.dispatchEvent(new Event("change", { bubbles: true }));
}

function select() {
  const one = row();
  if (!tick(one)) return false;
  mark(!tick(one).checked, one);
  ticked = nameOf(one);
  return true;
}

function selectTo() {
  const all = rows(), one = row(), from = all.findIndex((other) => nameOf(other) === ticked);
  if (!tick(one)) return false;
  const [low, high] = [from < 0 ? all.indexOf(one) : from, all.indexOf(one)].sort((a, b) => a - b);
  mark(true, ...all.slice(low, high + 1));
  ticked = nameOf(one);
  return true;
}

function openRow() {
  const one = row();
  if (!one || !["BODY", "MAIN"].includes(document.activeElement.tagName)) return false;
  one.querySelector("a.stretch").click();
  return true;
}

// What has a key is pressed, opened or written into, whatever it is.
function use(place) {
  if (place.matches("summary")) {
    place.parentElement.open = true;
    place.parentElement.querySelector(".panel :is(input:not([type=hidden]), select, textarea, button)")?.focus();
  } else if (place.matches("input, textarea, select")) place.focus();
  else if (place.matches("form")) place.querySelector(":is(input:not([type=hidden]), select, textarea, button):enabled")?.focus();
  else place.click();
}

// A verb is for the ticked rows, else for the row one stands on, else for the page.
function act(key, place) {
  const many = first('input[name="task"]:checked, [data-every]:checked') && first(`[data-bulk-key="${key}"]`);
  if (many) {
    many.click();
    return true;
  }
  const one = row();
  if (one?.dataset.href && place) {
    if (key === "c") one.querySelector(".c-act button")?.click();
    else location.assign(`${one.dataset.href}#${place}`);
    return true;
  }
  const found = first(`[data-key="${key}"]`);
  if (found) use(found);
  return Boolean(found);
}

function leave() {
  const panel = first("details.verb[open]");
  if (panel) {
    panel.open = false;
    panel.querySelector("summary").focus();
  } else if (first('input[name="task"]:checked, [data-every]:checked')) document.dispatchEvent(new Event("lian:unselect"));
  else if (row()) {
    document.activeElement.blur();
    stand(null);
  } else return false;
  return true;
}

const LIST = "list", TASK = "task", EVERYWHERE = "everywhere";
const KEYS = [
  { keys: ["j", "ArrowDown"], says: "next", group: LIST, act: () => move(1) },
  { keys: ["k", "ArrowUp"], says: "previous", group: LIST, act: () => move(-1) },
  { keys: ["Enter"], says: "open", group: LIST, act: openRow },
  { keys: ["x"], says: "select", group: LIST, act: select },
  { keys: ["X"], shown: ["Shift", "x"], says: "select_to", group: LIST, act: selectTo },
  { keys: ["n"], says: "take", group: TASK, act: () => act("n", "") },
  { keys: ["c"], says: "claim", group: TASK, act: () => act("c", "claim") },
  { keys: ["e"], says: "answer", group: TASK, act: () => act("e", "answer") },
  { keys: ["h"], says: "hold", group: TASK, act: () => act("h", "verb-hold") },
  { keys: ["p"], says: "pass", group: TASK, act: () => act("p", "verb-pass") },
  { keys: ["d"], says: "delegate", group: TASK, act: () => act("d", "verb-delegate") },
  { keys: ["a"], says: "assign", group: TASK, act: () => act("a", "verb-assign") },
  { keys: ["m"], says: "comment", group: TASK, act: () => act("m", "f-comment") },
  { keys: ["u"], says: "release", group: TASK, act: () => act("u", "") },
  { keys: ["/"], says: "search", group: EVERYWHERE, act: () => act("/", "") },
  { keys: ["?"], says: "sheet", group: EVERYWHERE, act: () => showSheet() },
  { keys: ["Escape"], shown: ["Esc"], says: "leave", group: EVERYWHERE, act: leave },
];
const ALWAYS = new Set(["Escape"]);
const BY_KEY = new Map(KEYS.flatMap((one) => one.keys.map((key) => [key, one])));

const isMac = /Mac|iP/.test(navigator.platform);
const typing = (target) => target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]");
// A browser may keep nothing for us: then the keys are on.
function isOff() {
  try {
    return localStorage.getItem(OFF) === "off";
  } catch {
    return false;
  }
}

function switchKeys(event) {
  try {
    localStorage.setItem(OFF, event.target.checked ? "on" : "off");
  } catch {
    event.target.checked = true;
  }
}

function press(event) {
  if (event.isComposing || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  const found = BY_KEY.get(event.key), dialog = event.target.closest?.("dialog");
  if (!found || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  // A dialog that was just closed keeps the focus for a moment: nobody types in it any more.
  if (!ALWAYS.has(event.key) && ((typing(event.target) && !dialog) || isOff())) return;
  if (found.act()) event.preventDefault();
}

// Open at once, so that no letter is lost; what it can do comes a moment later.
function openPalette() {
  const dialog = document.getElementById("palette");
  if (dialog.open) return;
  dialog.querySelector("input").value = "";
  dialog.showModal();
  import("./palette.js").then((module) => module.fillPalette(use));
}

// --- the sheet --------------------------------------------------------------------------------------------------------

function showSheet() {
  const sheet = document.getElementById("keys"), words = JSON.parse(document.getElementById("key-words").textContent);
  const place = sheet.querySelector("[data-sheet]");
  place.replaceChildren(...[LIST, TASK, EVERYWHERE].map((group) => section(group, words)));
  sheet.showModal();
  return true;
}

function section(group, words) {
  const made = document.createElement("section"), head = document.createElement("h3"), list = document.createElement("dl");
  head.textContent = words[group];
  const shown = KEYS.filter((one) => one.group === group).map((one) => [one.shown ?? one.keys, words[one.says]]);
  if (group === EVERYWHERE) shown.push([[isMac ? "⌘K" : "Ctrl K"], words.palette]);
  list.append(...shown.map(line));
  made.append(head, list);
  return made;
}

const ARROWS = { ArrowDown: "↓", ArrowUp: "↑" };
function line([keys, words]) {
  const made = document.createElement("div"), term = document.createElement("dt"), said = document.createElement("dd");
  for (const key of keys) {
    const cap = document.createElement("kbd");
    cap.textContent = ARROWS[key] ?? key;
    term.append(cap, " ");
  }
  said.textContent = words;
  made.append(term, said);
  return made;
}

// --- beginning --------------------------------------------------------------------------------------------------------

// An address may lead to a verb of the task it opens.
function arrive() {
  const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  if (place.matches("details.verb")) use(place.querySelector("summary"));
  else if (place.matches("form, textarea")) use(place);
}

export function startKeys() {
  if (!document.body.classList.contains("staff")) return;
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener?.dataset.open === "palette") openPalette();
    if (opener?.dataset.open === "keys") showSheet();
    for (const panel of document.querySelectorAll("details.verb[open]")) if (!panel.contains(event.target)) panel.open = false;
  });
  // Rows that were replaced: one stands where one stood.
  document.addEventListener("lian:swapped", () => {
    const one = here && rows().find((other) => nameOf(other) === here);
    if (one) stand(one, document.activeElement === document.body);
  });
  const off = document.getElementById("keys-on");
  if (off) {
    off.checked = !isOff();
    off.addEventListener("change", switchKeys);
  }
  if (isMac) for (const cap of document.querySelectorAll("[data-combined]")) cap.textContent = `⌘${cap.dataset.combined}`;
  // Once it has loaded: until then the browser itself goes to the place, and takes the focus away again.
  if (document.readyState === "complete") arrive();
  else addEventListener("load", () => setTimeout(arrive));
}
