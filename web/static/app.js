// Everything here is comfort: every page works without it. What a page does not need is not fetched.
import { startTicking } from "./tick.js";
import { startKeys } from "./keys.js";
import { startAnswers, startFiles, startForms } from "./forms.js";

document.documentElement.classList.add("js");
startTicking();
startKeys();
startForms();
startAnswers();
startFiles();

const has = (selector) => document.querySelector(selector) !== null;
if (has("form.upload")) import("./uploads.js").then((module) => module.startUploads());
if (has("[data-live]")) import("./live.js").then((module) => module.startLive());
if (has("[data-again]")) import("./again.js").then((module) => module.startAgain());
if (has("[data-undo]")) import("./undo.js").then((module) => module.startUndo());

// Rows may be ticked before the script for it is here: it looks at what is ticked when it comes.
const select = (event) => {
  if (event && !event.target.closest("table.selects, .bulk")) return;
  document.removeEventListener("change", select);
  import("./select.js").then((module) => module.startSelecting());
};
document.addEventListener("change", select);
if (has("input[name=task]:checked")) select();

// Counts of lists come by themselves, so that no list waits for them; and again, now and then, when a list has changed.
const COUNTED_EVERY = 2000;
const tabs = document.querySelector("[data-counts]");
let counting = 0;
function count() {
  counting = 0;
  fetch(tabs.dataset.counts, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : {}))
    .then((counts) => {
      for (const place of tabs.querySelectorAll("[data-count]")) place.textContent = counts[place.dataset.count] ?? "";
    })
    .catch(() => {});
}
if (tabs) {
  count();
  document.addEventListener("lian:swapped", () => (counting ||= setTimeout(count, COUNTED_EVERY)));
}
