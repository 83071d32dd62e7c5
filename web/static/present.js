// Who else is on the case: says that this page is open, and whether somebody writes in it.
const SAY_EVERY = 20000, TYPED_FOR = 10000;
const place = document.querySelector("[data-present]");
const tab = Math.random().toString(36).slice(2, 12) || "0";
let doing = "viewing", stopped, fields, answered;

const words = (state) => new URLSearchParams({ case: place.dataset.present, state, tab });

async function say(state) {
  doing = state;
  try {
    const answer = await fetch("/desk/presence", { method: "POST", body: words(state) });
    if (answer.ok && !answer.redirected) answered(await answer.text());
  } catch {
    // Said again in a while.
  }
}

function typed(event) {
  if (!event.target.closest?.("main") || !event.target.matches(fields)) return;
  clearTimeout(stopped);
  stopped = setTimeout(() => say("viewing"), TYPED_FOR);
  if (doing !== "typing") say("typing");
}

export function beThere(written, hear) {
  fields = written;
  answered = hear;
  say("viewing");
  document.addEventListener("visibilitychange", () => document.hidden || doing !== "viewing" || say("viewing"));
  setInterval(() => document.hidden || say(doing), SAY_EVERY);
  document.addEventListener("input", typed);
  addEventListener("pagehide", () => navigator.sendBeacon("/desk/presence", words("left")));
}
