// A page follows what becomes of a long job, unless somebody is about to press something in it.

const EVERY = 2000;

const region = () => document.querySelector("[data-progress]");
const isTouched = () => region().contains(document.activeElement) || region().matches(":has(button:active, a:active)");

async function look() {
  if (!document.hidden && !isTouched()) {
    try {
      const response = await fetch(location.href, { headers: { "HX-Request": "true" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("[data-progress]");
      if (response.ok && fresh && !isTouched()) region().replaceWith(fresh);
    } catch {
      // The next look tries again.
    }
  }
  if (region().matches("[data-live]")) setTimeout(look, EVERY);
}

if (region()?.matches("[data-live]")) setTimeout(look, 1000);
