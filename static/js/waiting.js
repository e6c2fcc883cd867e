// Waiting for answers: the live channel says when to look, and the page looks by itself without it.
//
// The rows in the database are the truth: every message only makes the page fetch its fragment.
(function () {
  "use strict";

  const QUIET = 15; // seconds after which an open channel that says nothing is not believed
  let source = null;
  let open = false;
  let timer = null;
  // Something was heard that no look has begun after. A look under way may have been too early for
  // it, and htmx drops what it queued for an element that the look replaced.
  let heard = false;

  function turn() {
    return document.getElementById("turn");
  }

  function unfinished() {
    const element = turn();
    return element !== null && element.hasAttribute("data-poll");
  }

  function look() {
    if (unfinished()) window.htmx.trigger(turn(), "poll");
  }

  function schedule() {
    clearTimeout(timer);
    if (!unfinished()) return;
    const seconds = open ? QUIET : Number(turn().dataset.poll);
    timer = setTimeout(look, seconds * 1000);
  }

  function believe(channel) {
    open = channel;
    schedule();
  }

  function hangUp() {
    if (source) source.close();
    source = null;
    open = false;
  }

  document.addEventListener("htmx:sseOpen", function (event) {
    source = event.detail.source;
    believe(true);
    source.addEventListener("away", function () {
      believe(false);
    });
    source.addEventListener("refetch", function () {
      believe(true);
    });
    ["set", "refetch"].forEach(function (name) {
      source.addEventListener(name, function () {
        heard = true;
      });
    });
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.target.id === "turn") heard = false;
  });
  ["htmx:sseError", "htmx:sseClose"].forEach(function (name) {
    document.addEventListener(name, function () {
      believe(false);
    });
  });

  document.addEventListener("htmx:afterSettle", function () {
    announce();
    if (!unfinished()) hangUp();
    if (heard) look();
    schedule();
  });
  // A request that failed is asked again: the page recovers by itself when the server is back.
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      if (event.detail.elt.id === "turn") trouble(true);
      schedule();
    });
  });
  document.addEventListener("htmx:afterOnLoad", function (event) {
    if (event.detail.elt.id === "turn" && event.detail.xhr.status < 500) trouble(false);
  });

  function trouble(is) {
    const place = document.getElementById("trouble");
    if (!place || (is && !place.hidden)) return;
    place.hidden = !is;
    place.textContent = is ? place.dataset.waiting : "";
  }

  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) look();
  });
  window.addEventListener("online", look);

  let said = "";
  function announce() {
    const element = turn();
    const place = document.getElementById("announcer");
    const words = (element && element.dataset.announce) || "";
    if (!place || words === said) return;
    said = words;
    place.textContent = words;
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", schedule);
  } else {
    schedule();
  }
})();
