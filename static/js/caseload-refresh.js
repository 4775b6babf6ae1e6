// Keeps the list of clients live. Rows change where they stand; their order changes on load or by the "2 new" button,
// never under a hand that is about to choose one.

const EVERY = 5000;
const caseload = () => document.querySelector("[data-caseload]");
let latest = null;

const rows = (root) => [...root.querySelectorAll("[data-caseload-rows] > tr")];

function newest(fresh) {
  // Rows that were written to since the list was ordered and would now stand elsewhere.
  const place = new Map(rows(caseload()).map((row, index) => [row.id, index]));
  return rows(fresh).filter((row, index) => {
    const mine = document.getElementById(row.id);
    return Number(row.dataset.unread) > 0 && (!mine || (index < place.get(row.id) && mine.dataset.grown === "true"));
  }).length;
}

function showButton(count) {
  const holder = caseload().querySelector("[data-caseload-new]");
  if (!holder) return;
  holder.hidden = !count;
  holder.querySelector("[data-label]").textContent =
    count === 1 ? holder.dataset["text-1"] : holder.dataset.textN.replace("{n}", count);
}

function update(fresh) {
  for (const row of rows(fresh)) {
    const mine = document.getElementById(row.id);
    if (!mine) continue;
    const grown = mine.dataset.grown === "true" || Number(row.dataset.unread) > Number(mine.dataset.unread);
    const open = mine.classList.contains("open");
    window.Idiomorph.morph(mine, row.cloneNode(true), { morphStyle: "outerHTML" });
    mine.classList.toggle("open", open);
    if (open) mine.querySelector("a").setAttribute("aria-current", "page");
    if (grown) mine.dataset.grown = "true";
  }
  const [count, freshCount] = [caseload(), fresh].map((root) => root.querySelector("[data-caseload-count]"));
  if (count && freshCount && count.textContent !== freshCount.textContent) count.textContent = freshCount.textContent;
  latest = fresh;
  showButton(newest(fresh));
}

function reorder() {
  const table = caseload().querySelector("[data-caseload-rows]");
  const open = table.querySelector("tr.open")?.id;
  table.replaceChildren(...rows(latest).map((row) => document.importNode(row, true)));
  const row = open && document.getElementById(open);
  row?.classList.add("open");
  row?.querySelector("a").setAttribute("aria-current", "page");
  showButton(0);
  table.querySelector("a")?.focus();
}

function showUnreadInTitle(fresh) {
  if (!("unreadTotal" in caseload().dataset) || !("unreadTotal" in fresh.dataset)) return;
  const total = Number(fresh.dataset.unreadTotal);
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = total ? `(${total}) ${bare}` : bare;
}

// Beside a conversation the list comes after the page, and only where there is room for it.
function fill(fresh) {
  const parts = fresh.querySelectorAll(".caseload-chips, [data-caseload-new], table");
  if (!fresh.querySelector("table")) return;
  caseload().replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
  const open = document.getElementById(`client-${caseload().dataset.open}`);
  open?.classList.add("open");
  open?.querySelector("a").setAttribute("aria-current", "page");
}

// A list that had nobody has no order to keep, and nothing in it that one could be about to choose.
function begin(fresh) {
  if (!fresh.querySelector("[data-caseload-rows]") || caseload().contains(document.activeElement)) return;
  caseload().replaceWith(document.importNode(fresh, true));
  window.htmx?.process(caseload());
}

async function refresh() {
  const list = caseload();
  if (document.visibilityState !== "visible" || !list?.offsetParent || "still" in list.dataset) return;
  const isEmpty = !list.querySelector("[data-caseload-rows]");
  const from = list.dataset.refreshFrom;
  try {
    const response = await fetch(from, { headers: { "HX-Request": "true", "X-Background-Refresh": "1" } });
    if (response.redirected) document.dispatchEvent(new CustomEvent("connection", { detail: "signed-out" }));
    if (!response.ok || response.redirected) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-caseload]");
    // A search may have replaced the list while this was under way.
    if (!fresh || caseload().dataset.refreshFrom !== from) return;
    if (!isEmpty) update(fresh);
    else if ("open" in list.dataset) fill(fresh);
    else begin(fresh);
    showUnreadInTitle(fresh);
    document.dispatchEvent(new CustomEvent("connection", { detail: "ok" }));
  } catch {
    document.dispatchEvent(new CustomEvent("connection", { detail: "offline" }));
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-caseload-new] button")) reorder();
});
document.addEventListener("visibilitychange", refresh);
if (caseload() && "open" in caseload().dataset) refresh();
setInterval(refresh, EVERY);
