// Cases and actions in one place, by a few letters: found cases come from the server, actions from the page itself.
const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const said = dialog.querySelector("[data-status]");
const PAUSE = 120;
let options = [];
let at = 0;
let asking = null;
let timer = 0;
let cases = [];
let use = () => {};

const words = (element) => {
  const copy = element.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, svg")) extra.remove();
  return copy.textContent.replace(/\s+/g, " ").trim() || element.getAttribute("aria-label") || element.getAttribute("placeholder") || "";
};
const plain = (text) => text.toLocaleLowerCase().normalize("NFKD");

const NOT_OFFERED = ["/", "e"];

// A key presses the first place that has it, so the others are offered without it.
function actions() {
  const here = [...document.querySelectorAll("[data-key]")].filter((place) => place.offsetParent && !place.closest("dialog"));
  const offered = here.filter((place) => !NOT_OFFERED.includes(place.dataset.key));
  const pressed = (key) => here.find((place) => place.dataset.key === key);
  const named = offered.map((place) => ({ words: words(place), key: pressed(place.dataset.key) === place ? place.dataset.key : "", run: () => use(place) }));
  const pages = [...document.querySelectorAll(".side a[href]")].map((link) => ({ words: words(link), href: link.href }));
  return { here: named.filter((one) => one.words), pages };
}

// `press` does what a key does: the palette offers what has one.
export function fillPalette(press) {
  use = press;
  at = 0;
  cases = [];
  show();
  if (input.value) ask();
}

function show() {
  const asked = plain(input.value.trim()), found = actions();
  const fits = (one) => !asked || plain(one.words).includes(asked);
  const groups = [
    [dialog.dataset.cases, asked ? cases : []],
    [dialog.dataset.here, found.here.filter(fits)],
    [dialog.dataset.pages, found.pages.filter(fits)],
  ].filter(([, some]) => some.length);
  options = groups.flatMap(([, some]) => some);
  at = Math.min(at, Math.max(0, options.length - 1));
  list.replaceChildren(...groups.map(group));
  if (!options.length) list.replaceChildren(empty());
  said.textContent = dialog.dataset.found.replace("{n}", options.length);
  point();
}

function empty() {
  const made = document.createElement("p");
  made.className = "nothing";
  made.textContent = dialog.dataset.none;
  return made;
}

function group([title, some]) {
  const made = document.createElement("div"), head = document.createElement("div");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", title);
  head.className = "head";
  head.setAttribute("aria-hidden", "true");
  head.textContent = title;
  made.append(head, ...some.map(option));
  return made;
}

function option(one) {
  const made = document.createElement("div"), main = document.createElement("span");
  made.setAttribute("role", "option");
  made.id = `palette-${options.indexOf(one)}`;
  main.textContent = one.words;
  made.append(main);
  for (const [text, name] of [[one.aside, "aside"], [one.number, "mono"]]) if (text) made.append(piece("span", text, name));
  if (one.key) made.append(piece("kbd", one.key, ""));
  made.addEventListener("click", () => run(one));
  made.addEventListener("pointermove", () => {
    at = options.indexOf(one);
    point();
  });
  return made;
}

function piece(tag, text, name) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function point() {
  for (const made of list.querySelectorAll("[role=option]")) made.setAttribute("aria-selected", String(made.id === `palette-${at}`));
  const one = document.getElementById(`palette-${at}`);
  if (one) input.setAttribute("aria-activedescendant", one.id);
  else input.removeAttribute("aria-activedescendant");
  one?.scrollIntoView({ block: "nearest" });
}

function run(one) {
  dialog.close();
  if (one.href) location.assign(one.href);
  else one.run();
}

// The answer to what was typed last counts; earlier questions are given up.
async function ask() {
  const text = input.value.trim();
  asking?.abort();
  if (!text) {
    cases = [];
    show();
    return;
  }
  asking = new AbortController();
  try {
    const answer = await fetch(`${dialog.dataset.search}?q=${encodeURIComponent(text)}`, { signal: asking.signal, headers: { Accept: "application/json" } });
    cases = answer.ok ? (await answer.json()).cases.map(found) : [];
  } catch (failure) {
    if (failure.name === "AbortError") return;
    cases = [];
  }
  show();
}

const found = (one) => ({ words: one.title, aside: one.customer, number: one.number, href: one.address });

input.addEventListener("input", () => {
  at = 0;
  show();
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    at = (at + step + options.length) % Math.max(1, options.length);
    point();
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (options[at]) run(options[at]);
  }
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
