// Forms: sent once. What is typed into them is kept by drafts.js, and timed by reading.js.
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

  // ---- every page that was swapped in ------------------------------------------------------------
  document.addEventListener("htmx:afterSettle", function (event) {
    const boosted = event.detail.requestConfig && event.detail.requestConfig.boosted;
    if (!boosted && !event.detail.boosted) return;
    const place = document.querySelector("[data-focus]") || document.querySelector("main");
    place.focus({ preventScroll: place.tagName === "MAIN" });
  });
})();
