// The old tree becomes the new one in place, so that focus, scroll, open panels and ticks stay where they are.
const KEPT_CLASSES = ["here"], KEPT_ATTRIBUTES = new Set(["open", "class", "aria-disabled"]);
const nameOf = (node) => node.dataset?.id || node.id || "";

export function patch(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  if (old.dataset.sent) return;
  patchAttributes(old, wanted);
  patchChildren(old, wanted);
}

function patchAttributes(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name) && !KEPT_ATTRIBUTES.has(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) {
    if (!KEPT_ATTRIBUTES.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const kept = KEPT_CLASSES.filter((name) => old.classList.contains(name));
  const classes = [wanted.getAttribute("class"), ...kept].filter(Boolean).join(" ");
  if ((old.getAttribute("class") ?? "") !== classes) old.setAttribute("class", classes);
}

function patchChildren(old, wanted) {
  const named = new Map([...old.children].filter(nameOf).map((child) => [nameOf(child), child]));
  let at = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const same = nameOf(next) ? named.get(nameOf(next)) : at && isLike(at, next) ? at : null;
    if (!same || same.nodeName !== next.nodeName) {
      old.insertBefore(arrived(document.importNode(next, true)), at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    patch(same, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

const isLike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && !nameOf(one);

function arrived(node) {
  if (node.nodeName === "TR") node.classList.add("arrived");
  return node;
}
