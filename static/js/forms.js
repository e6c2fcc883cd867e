// Forms: sent once, and no typed word lost to a reload.
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
    if (event.detail.successful) forget(form);
  });

  // ---- typed words survive a reload of this tab ------------------------------------------------
  function storage(action) {
    try {
      return action(window.sessionStorage);
    } catch (refused) {
      return null; // storage is switched off: the browser's own memory has to do
    }
  }

  function keep(field) {
    storage(function (store) {
      store.setItem("kept:" + field.dataset.keep, field.value);
    });
  }

  function forget(form) {
    form.querySelectorAll("[data-keep]").forEach(function (field) {
      storage(function (store) {
        store.removeItem("kept:" + field.dataset.keep);
      });
    });
  }

  function restore(root) {
    root.querySelectorAll("textarea[data-keep]").forEach(function (field) {
      const kept = storage(function (store) {
        return store.getItem("kept:" + field.dataset.keep);
      });
      // What was typed over a stored text counts; what the server kept may be newer.
      const correction = kept !== null && field.hasAttribute("data-stored") && kept !== field.value;
      if (correction) field.closest("details").open = true;
      if (correction || (kept && !field.value)) field.value = kept;
    });
  }

  document.addEventListener("input", function (event) {
    if (event.target.matches("[data-keep]")) keep(event.target);
    say();
  });

  // ---- what is saved, said in the bar ----------------------------------------------------------
  function unsent() {
    return Array.prototype.some.call(document.querySelectorAll("main textarea[name]"), function (field) {
      return field.value !== field.defaultValue && field.value.trim() !== "";
    });
  }

  function say() {
    const place = document.getElementById("saved");
    if (!place) return;
    if (!navigator.onLine) place.textContent = place.dataset.offline;
    else if (unsent()) place.textContent = place.dataset.unsent;
    else if (place.textContent) place.textContent = place.dataset.saved;
  }

  window.addEventListener("online", say);
  window.addEventListener("offline", say);

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
  document.addEventListener("htmx:beforeRequest", function () {
    trouble("");
  });

  // ---- every page, and every page that was swapped in ------------------------------------------
  function begin(root) {
    restore(root);
    say();
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
