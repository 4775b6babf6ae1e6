// Keeps the open conversation live: fetches its fragment while the tab is seen and morphs it in, so that focus,
// selection and reading position stay. Whoever has scrolled up gets a button instead of a jump.

const EVERY = 4000;
const scroller = document.querySelector("[data-talk-scroller]");
const button = document.querySelector("[data-talk-new]");
const announcer = document.querySelector("[data-talk-announcer]");
const talk = () => scroller.querySelector("[data-talk]");
const incoming = () => [...talk().querySelectorAll("[data-incoming]")];
// The scroller is reversed: its end is 0, and further up is negative.
const atEnd = () => scroller.scrollTop > -48;
let waiting = 0;

function firstSeen() {
  const top = scroller.getBoundingClientRect().top;
  return [...talk().querySelectorAll("[data-item]")].find((item) => item.getBoundingClientRect().bottom > top);
}

function morph(fresh) {
  const oldest = fresh.querySelector("[data-item][id]");
  const twin = oldest && document.getElementById(oldest.id);
  // Older messages that were fetched on the way up are not in the fragment and stay, with their own link.
  const isOlder = (node) => {
    if (!(node instanceof Element) || !node.matches("[data-item], .talk-day")) return false;
    const item = node.matches("[data-item]") ? node : node.querySelector("[data-item]");
    return Boolean(item && item.compareDocumentPosition(twin) & Node.DOCUMENT_POSITION_FOLLOWING);
  };
  const keepOlder = {
    beforeNodeRemoved: (node) => !(node.id === "talk-older" || isOlder(node)),
    beforeNodeMorphed: (node) => node.id !== "talk-older",
    beforeNodeAdded: (node) => node.id !== "talk-older",
  };
  // Without a message in common (a night asleep) there would be a gap: then the page is as if newly opened.
  window.Idiomorph.morph(talk(), fresh, { morphStyle: "outerHTML", callbacks: twin ? keepOlder : {} });
}

function showButton() {
  button.hidden = !waiting;
  const label = waiting === 1 ? button.dataset["text-1"] : button.dataset.textN.replace("{n}", waiting);
  button.querySelector("[data-label]").textContent = waiting ? label : "";
}

function arrive(page, { own = false } = {}) {
  const fresh = page.querySelector("[data-talk]");
  if (!fresh) return;
  const known = new Set(incoming().map((message) => message.id));
  const stays = atEnd() || own;
  const anchor = firstSeen();
  const before = anchor?.getBoundingClientRect().top;
  morph(fresh);
  const added = incoming().filter((message) => !known.has(message.id));
  if (stays) scroller.scrollTop = 0;
  else if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before;
  waiting = stays ? 0 : waiting + added.length;
  showButton();
  if (added.length) announcer.textContent = added.map((message) => message.querySelector(".bubble").innerText).join("\n");
  document.dispatchEvent(new Event("talk-changed"));
}

async function refresh() {
  if (document.visibilityState !== "visible") return;
  try {
    const response = await fetch(talk().dataset.refreshFrom, { headers: { "HX-Request": "true", "X-Background-Refresh": "1" } });
    if (response.redirected) document.dispatchEvent(new CustomEvent("connection", { detail: "signed-out" }));
    if (!response.ok || response.redirected) return;
    arrive(new DOMParser().parseFromString(await response.text(), "text/html"));
    document.dispatchEvent(new CustomEvent("connection", { detail: "ok" }));
  } catch {
    document.dispatchEvent(new CustomEvent("connection", { detail: "offline" }));
  }
}

// A page of older messages, opened by its own address, stays what it is.
if (scroller && !new URLSearchParams(location.search).has("before")) {
  document.addEventListener("talk-arrived", (event) => arrive(event.detail.page, event.detail));
  document.addEventListener("visibilitychange", refresh);
  scroller.addEventListener("scroll", () => {
    if (waiting && atEnd()) {
      waiting = 0;
      showButton();
    }
  });
  button.addEventListener("click", () => {
    scroller.scrollTop = 0;
    scroller.focus();
  });
  setInterval(refresh, EVERY);
}
