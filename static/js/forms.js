// Forms: sent once, timed while visible. What is typed into them is kept by drafts.js.
(function () {
  "use strict";

  // ---- sent once -------------------------------------------------------------------------------
  // The server answers a second identical form with the first answer; this spares people the doubt.
  function release(form) {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach(function (button) {
      button.removeAttribute("aria-disabled");
    });
  }

  document.addEventListener(
    "submit",
    function (event) {
      const form = event.target;
      if (!form.matches("[data-guard]")) return;
      if (form.dataset.sent) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sent = "yes";
      form.querySelectorAll("button").forEach(function (button) {
        button.setAttribute("aria-disabled", "true");
      });
      writeTimes(form);
    },
    true,
  );
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    const form = event.detail.elt;
    if (!form || form.tagName !== "FORM") return;
    release(form);
  });

  // ---- how long the answers were in view -------------------------------------------------------
  let visible = 0; // milliseconds of earlier stretches
  let since = document.hidden ? null : performance.now();
  let firstChoice = null;

  function visibleNow() {
    return Math.round(visible + (since === null ? 0 : performance.now() - since));
  }

  function startClock(form) {
    // A form that came back to be mended goes on from where it was.
    visible = Number(form.elements.visible_ms.value);
    since = document.hidden ? null : performance.now();
    firstChoice = form.elements.first_choice_ms.value || null;
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden && since !== null) {
      visible += performance.now() - since;
      since = null;
    } else if (!document.hidden && since === null) {
      since = performance.now();
    }
  });
  document.addEventListener("change", function (event) {
    if (event.target.name === "choice" && firstChoice === null) firstChoice = visibleNow();
  });

  function writeTimes(form) {
    if (!form.matches("[data-timed]")) return;
    form.elements.visible_ms.value = visibleNow();
    form.elements.first_choice_ms.value = firstChoice === null ? "" : firstChoice;
  }

  // ---- copying ---------------------------------------------------------------------------------
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const words = button.textContent;
    const text = document.getElementById(button.dataset.copy).textContent.trim();
    copy(text).then(function () {
      button.textContent = button.dataset.done;
      setTimeout(function () {
        button.textContent = words;
      }, 2500);
    });
  });

  function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    return Promise.reject(new Error("no clipboard here: the text can be selected"));
  }

  // ---- trouble on the way ----------------------------------------------------------------------
  function trouble(kind) {
    const place = document.getElementById("trouble");
    if (!place) return;
    place.hidden = !kind;
    place.textContent = kind ? place.dataset[kind] : "";
  }

  document.addEventListener("htmx:sendError", function (event) {
    if (event.detail.elt.tagName === "FORM") trouble(navigator.onLine ? "lost" : "offline");
  });
  document.addEventListener("htmx:responseError", function (event) {
    if (event.detail.elt.tagName === "FORM") trouble("failed");
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.elt.tagName === "FORM") trouble("");
  });

  // ---- every page, and every page that was swapped in ------------------------------------------
  function begin(root) {
    const form = root.querySelector("[data-timed]");
    if (form) startClock(form);
  }

  document.addEventListener("htmx:afterSettle", function (event) {
    const root = event.detail.target.isConnected ? event.detail.target : document.body;
    begin(root);
    const boosted = event.detail.requestConfig && event.detail.requestConfig.boosted;
    if (boosted || event.detail.boosted) {
      const place = document.querySelector("[data-focus]") || document.querySelector("main");
      place.focus({ preventScroll: place.tagName === "MAIN" });
    }
  });
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", function () {
      begin(document);
    });
  } else {
    begin(document);
  }
})();
