// Marks as read what was on the case manager's screen, tab seen, for a moment. Only an unbroken run from the oldest
// unread message on is marked: what is still above the screen was not seen. Nothing to mark by, nothing marked.

const MOMENT = 800;
const scroller = document.querySelector("[data-talk-scroller]");
const seen = new Set();
let timer = null;
let marked = null;

const form = () => scroller.querySelector("[data-mark-read]");
const unread = () => [...scroller.querySelectorAll("[data-unread]")];

function lastOfRun() {
  let last = null;
  for (const message of unread()) {
    if (!seen.has(message.id)) break;
    last = message;
  }
  return last;
}

async function mark() {
  timer = null;
  const last = document.visibilityState === "visible" && form() ? lastOfRun() : null;
  if (!last || last.id === marked) return;
  const body = new FormData(form());
  body.set("up_to", last.dataset.message);
  try {
    const response = await fetch(form().action, { method: "POST", body, redirect: "manual", headers: { "HX-Request": "true" } });
    // A redirect is how the server answers the button; to a script it looks opaque, and means done.
    if (response.ok || response.type === "opaqueredirect") marked = last.id;
    scroller.classList.toggle("marks-by-script", unread().at(-1)?.id === marked);
  } catch {
    // connection.js says that the server can't be reached; the next look marks it.
  }
}

const observer = new IntersectionObserver(
  (entries) => {
    if (document.visibilityState !== "visible") return;
    for (const entry of entries) if (entry.isIntersecting) seen.add(entry.target.id);
    timer ??= setTimeout(mark, MOMENT);
  },
  { root: scroller, threshold: 0.6 },
);

function watch() {
  // Observed anew, so that the observer reports on those that are on the screen already.
  observer.disconnect();
  unread().forEach((message) => observer.observe(message));
}

if (scroller) {
  document.addEventListener("talk-changed", watch);
  document.addEventListener("visibilitychange", watch);
  watch();
}
