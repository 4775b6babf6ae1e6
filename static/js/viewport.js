// iPhones lay the keyboard over the page without making it smaller. This hands the height that can be seen to the
// style sheet, so that the composer stands on the keyboard and the client's name stays in view.

const viewport = window.visualViewport;

function fit() {
  // Zoomed in, the visible part is smaller for another reason: the page must then keep its size and scroll.
  if (viewport.scale > 1.01) return;
  document.documentElement.style.setProperty("--visible-height", `${viewport.height}px`);
  window.scrollTo(0, 0);
}

if (viewport && window.matchMedia("(pointer: coarse)").matches) {
  viewport.addEventListener("resize", fit);
  fit();
}
