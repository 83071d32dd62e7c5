// Regions of a page that follow what happens elsewhere. A signal says that something has changed, never what: the page
// asks for itself again, as its reader. The attributes are explained in docs/decisions/0010-live-pages.md.
import { join, listensUnseen, part } from "./stream.js";
import { patch } from "./patch.js";
import { WRITTEN, isEdited } from "./written.js";
import { beThere } from "./present.js";

const BEGIN_AFTER = 1000; // pages that are left at once need no connection; what they miss meanwhile is told later
const AGAIN = 700; // with what a signal takes on its way, a list is a second behind at most
const SHARE = 4; // a slow page spends at most a quarter of the time on asking for itself
const AFTER_TROUBLE = 6000;

const page = document.getElementById("live");
const place = document.querySelector("[data-present]");
const here = page.dataset.from || location.pathname + location.search;
let version = Number(place?.dataset.version); // of the case, as this page last showed it

// --- what is to be asked for ------------------------------------------------------------------------------------------

const asking = new Map(); // address -> { due: names of regions, next: when it may be asked for again, timer }

function receive(news) {
  document.getElementById("live-lost").hidden = !news.lost;
  for (const region of document.querySelectorAll("[data-live]")) if (concerns(news, region)) ask(region);
}

function concerns(news, region) {
  const about = place?.dataset.case;
  const signs = {
    desk: news.desk,
    board: news.board,
    case: news.cases?.[about] > version,
    presence: news.presence?.includes(about),
  };
  return news.everything || (region.dataset.on ?? "desk").split(" ").some((sign) => signs[sign]);
}

function ask(region) {
  const address = region.dataset.from ?? here;
  if (!asking.has(address)) asking.set(address, { due: new Set(), next: 0 });
  asking.get(address).due.add(region.dataset.live);
  soon(address);
}

function soon(address) {
  const one = asking.get(address);
  if (one.timer || document.hidden || !one.due.size) return;
  one.timer = setTimeout(() => fetchRegions(address, one), Math.max(0, one.next - performance.now()));
}

async function fetchRegions(address, one) {
  const names = [...one.due], begun = performance.now();
  one.due.clear();
  try {
    const answer = await fetch(address, { headers: { "X-Requested-Region": names.join(" ") } });
    if (answer.ok && !answer.redirected) renewAll(names, await answer.text());
    else if (answer.status >= 500) for (const name of names) one.due.add(name);
    else if (answer.redirected && answer.url.includes("/sign-in")) leaveOff();
  } catch {
    for (const name of names) one.due.add(name);
  }
  const took = performance.now() - begun;
  one.next = begun + Math.max(AGAIN, SHARE * took, one.due.size ? AFTER_TROUBLE : 0);
  one.timer = undefined;
  soon(address);
}

// Signed out: nothing more is heard, which the page says, until somebody looks at it again and may be signed in by then.
let isSignedOut = false;

function leaveOff() {
  part();
  isSignedOut = true;
  document.getElementById("live-lost").hidden = false;
}

function returnTo() {
  if (!isSignedOut) return;
  isSignedOut = false;
  join(receive);
  receive({ everything: true });
}

// --- putting it in place ----------------------------------------------------------------------------------------------

const served = new Map(); // name -> the region as the server last sent it
const held = new Map(); // name -> what came while its reader was writing in it
const find = (name, within = document) => within.querySelector(`[data-live="${CSS.escape(name)}"]`);

function renewAll(names, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const frame = fresh.getElementById("live");
  const script = (within) => within.querySelector("script[src]")?.getAttribute("src");
  const isOther = frame && (frame.dataset.who !== page.dataset.who || script(fresh) !== script(document));
  if (isOther && !isEdited(document.getElementById("main"))) location.reload();
  if (isOther) return;
  if (frame && place) version = Number(fresh.querySelector("[data-present]")?.dataset.version ?? version);
  for (const name of names) {
    const region = find(name), wanted = find(name, fresh);
    if (region && wanted) renew(name, region, wanted);
  }
  document.dispatchEvent(new Event("lian:swapped"));
}

function renew(name, region, wanted) {
  const before = served.get(name), isNews = !before || print(before) !== print(wanted);
  served.set(name, wanted.cloneNode(true));
  if (!isEdited(region)) return show(name, region, wanted);
  if (!isNews) return;
  held.set(name, wanted);
  if (!region.querySelector(":scope > .elsewhere")) region.prepend(notice(name));
}

function show(name, region, wanted) {
  held.delete(name);
  region.querySelector(":scope > .elsewhere")?.remove();
  const active = document.activeElement, rows = [...region.querySelectorAll("tr")];
  const at = region.contains(active) ? rows.indexOf(active.closest("tr")) : -1;
  patch(region, wanted);
  if (active.isConnected) {
    if (document.activeElement !== active) active.focus({ preventScroll: true });
  } else if (at >= 0) {
    const left = [...region.querySelectorAll("tr")];
    (left[Math.min(at, left.length - 1)]?.querySelector("a[href]") ?? document.getElementById("main")).focus({ preventScroll: true });
  }
}

function notice(name) {
  const made = document.createElement("p"), words = document.createElement("span"), button = document.createElement("button");
  made.className = "elsewhere";
  made.setAttribute("role", "status");
  words.textContent = page.dataset.elsewhere;
  button.type = "button";
  button.className = "button small";
  button.textContent = page.dataset.show;
  button.addEventListener("click", () => show(name, made.parentElement, held.get(name)));
  made.append(words, button);
  return made;
}

// Once nothing is being written any more, what was held back is shown.
function settle() {
  for (const [name, wanted] of held) {
    const region = find(name);
    if (region && !isEdited(region)) show(name, region, wanted);
  }
}

// What the server says, without what differs each time: ticking chips, commands that make a second click harmless.
function print(region) {
  const copy = region.cloneNode(true);
  for (const chip of copy.querySelectorAll("[data-due]")) chip.replaceChildren(chip.dataset.due);
  for (const field of copy.querySelectorAll("input[type=hidden]")) field.remove();
  return copy.textContent.replace(/\s+/g, " ") + copy.querySelectorAll("*").length;
}

// --- beginning --------------------------------------------------------------------------------------------------------

export function startLive() {
  for (const region of document.querySelectorAll("[data-live]")) served.set(region.dataset.live, region.cloneNode(true));
  document.addEventListener("focusout", () => setTimeout(settle));
  document.addEventListener("visibilitychange", () => {
    if (!listensUnseen) document.hidden ? part() : join(receive);
    if (!document.hidden) for (const address of asking.keys()) soon(address);
    if (!document.hidden) returnTo();
  });
  addEventListener("focus", returnTo);
  setTimeout(() => {
    join(receive);
    if (place) beThere(WRITTEN, (text) => renewAll(["present"], text));
    addEventListener("pagehide", part);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      join(receive);
      receive({ everything: true });
    });
  }, BEGIN_AFTER);
}
