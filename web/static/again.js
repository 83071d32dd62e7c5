// A page of something under way brings itself up to date every few seconds, until it says that it is over.
export function startAgain() {
  const shown = () => document.querySelector("main [data-again]");
  const look = async () => {
    const before = shown();
    if (!before) return;
    const next = await fetch(before.dataset.from ?? location.href, { headers: { Accept: "text/html" } })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .catch(() => "");
    const fresh = next && new DOMParser().parseFromString(next, "text/html").querySelector("main .body");
    // Nothing is taken from under somebody's hands.
    if (fresh && !before.matches(":focus-within")) before.replaceWith(fresh);
    setTimeout(look, 1000 * Number(before.dataset.again));
  };
  if (shown()) setTimeout(look, 1000 * Number(shown().dataset.again));
}
