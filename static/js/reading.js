// On a small screen, the words that are answered stay in one line on top once they have left it.
(function () {
  "use strict";

  let observer = null;

  function watch() {
    if (observer) observer.disconnect();
    const line = document.getElementById("line");
    const words = document.getElementById("ask");
    if (!line || !words || !("IntersectionObserver" in window)) return;
    observer = new IntersectionObserver(function (entries) {
      const entry = entries[entries.length - 1];
      line.hidden = entry.isIntersecting || entry.boundingClientRect.top > 0;
    });
    observer.observe(words);
  }

  document.addEventListener("htmx:afterSettle", watch);
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", watch);
  } else {
    watch();
  }
})();
