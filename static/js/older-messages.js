// Puts older messages above the ones on the page, when their link is followed or comes near as one scrolls up.
// The reversed scroller keeps its place: what is added above moves nothing below.

const scroller = document.querySelector("[data-talk-scroller]");
let loading = false;

function insert(page) {
  const talk = scroller.querySelector("[data-talk]");
  const older = page.querySelector("[data-talk]");
  if (!older) return false;
  talk.querySelector("#talk-older")?.remove();
  const first = talk.querySelector(".talk-day");
  for (const day of older.querySelectorAll(".talk-day")) {
    const same = talk.querySelector(`#${day.id} ol`);
    if (same) same.prepend(...day.querySelectorAll("[data-item]"));
    else talk.insertBefore(day, first);
  }
  const link = older.querySelector("#talk-older");
  if (link) talk.prepend(link);
  return true;
}

async function load(link) {
  if (loading) return;
  loading = true;
  try {
    const response = await fetch(link.href, { headers: { "HX-Request": "true" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok || !insert(page)) location.assign(link.href);
  } catch {
    document.dispatchEvent(new CustomEvent("connection", { detail: "offline" }));
  } finally {
    loading = false;
  }
}

if (scroller) {
  scroller.addEventListener("click", (event) => {
    const link = event.target.closest("[data-older]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load(link);
  });
  scroller.addEventListener("scroll", () => {
    const link = scroller.querySelector("[data-older]");
    if (link && scroller.scrollTop < 0 && link.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top - 200) load(link);
  });
}
