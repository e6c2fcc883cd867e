// The time of an open conversation: a warning before it runs out, with one button for more.
//
// The server says in how many seconds, so that a device's wrong clock does no harm.
(function () {
  "use strict";

  let form = null; // the form that the times below belong to
  let loaded = 0; // when it came, by a clock that nobody can set
  let timer = null;

  function seconds() {
    return (performance.now() - loaded) / 1000;
  }

  function say(words) {
    const place = form.querySelector("[data-warning]");
    if (place.textContent === words) return;
    place.textContent = words;
    form.classList.add("urgent");
    form.querySelector("[data-kept]").hidden = true;
  }

  function look() {
    clearTimeout(timer);
    if (!form || !form.isConnected) return;
    const past = seconds();
    const warnIn = Number(form.dataset.warnIn);
    const left = Number(form.dataset.secondsLeft);
    if (past >= left) {
      say(form.dataset.gone);
      form.querySelector(".actions").hidden = true;
      return;
    }
    if (past >= warnIn) say(form.querySelector("template").content.textContent);
    const next = (past >= warnIn ? left : warnIn) - past;
    // Browsers forget timers that are weeks away.
    timer = setTimeout(look, Math.min(next, 3600) * 1000 + 50);
  }

  function begin() {
    const found = document.getElementById("lease");
    if (found !== form) {
      form = found;
      loaded = performance.now();
    }
    look();
  }

  document.addEventListener("htmx:afterSettle", begin);
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) look(); // a sleeping tab's timers sleep as well
  });
  window.addEventListener("pageshow", function (event) {
    // A page out of the browser's memory does not know how long it lay there.
    if (event.persisted) window.location.reload();
  });
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", begin);
  } else {
    begin();
  }
})();
