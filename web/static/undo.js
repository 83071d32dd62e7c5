// The way back is offered for ten seconds, longer while somebody looks at it; and a reload does not offer it again.
const SECONDS = 10;

export function startUndo() {
  const address = new URL(location.href);
  for (const name of ["did", "of", "v"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
  for (const notice of document.querySelectorAll("[data-undo]")) {
    let left = SECONDS;
    const timer = setInterval(() => {
      if (notice.matches(":hover, :focus-within")) return;
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      notice.hidden = true;
    }, 1000);
  }
}
