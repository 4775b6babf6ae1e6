// "Send later": a quick pick fills the date and the time at once, and the time chosen is said back in words. Whether
// anything can be scheduled for it, the server says.

const field = (name) => document.querySelector(`[data-schedule-${name}]`);

function say() {
  const line = document.querySelector("[data-schedule-words]");
  const [day, clock] = [field("date").value, field("time").value];
  const moment = new Date(`${day}T${clock}Z`);
  if (Number.isNaN(moment.getTime())) {
    line.textContent = "";
    return;
  }
  const words = { weekday: "long", month: "long", day: "numeric", timeZone: "UTC" };
  const hour = moment.getUTCHours();
  const time = `${hour % 12 || 12}:${String(moment.getUTCMinutes()).padStart(2, "0")} ${hour < 12 ? "am" : "pm"}`;
  const when = `${new Intl.DateTimeFormat(document.documentElement.lang, words).format(moment)}, ${time}`;
  line.textContent = line.dataset.words.replace("{when}", when);
}

document.addEventListener("click", (event) => {
  const pick = event.target.closest("[data-pick-date]");
  if (!pick) return;
  event.preventDefault();
  field("date").value = pick.dataset.pickDate;
  field("time").value = pick.dataset.pickTime;
  say();
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-schedule-date], [data-schedule-time]")) say();
});
