// Single keys for comparing: off until somebody turns them on, on the device where they did. They
// press what is on the page, so that nothing happens by a key that a tap could not do. Places on the
// keyboard, not letters: they are the same in every script.
(function () {
  "use strict";

  const KEPT = "single-keys";

  function storage(action) {
    try {
      return action(window.localStorage);
    } catch (refused) {
      return null; // storage is switched off: the keys stay off
    }
  }

  function isOn() {
    return (
      storage(function (store) {
        return store.getItem(KEPT);
      }) === "on"
    );
  }

  function isTyping(target) {
    return target.closest("textarea, select, input:not([type=radio], [type=checkbox])") !== null;
  }

  function pressed(form, code) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
    if (digit) return form.querySelectorAll("[data-go]")[digit[1] - 1];
    if (code === "KeyN") return document.getElementById("choice-none");
    const card = document.activeElement && document.activeElement.closest(".card");
    if (!card) return null;
    if (code === "KeyC") return card.querySelector('[name="choice"]');
    return code === "KeyX" ? card.querySelector('[name="ruled_out"][type=checkbox]') : null;
  }

  document.addEventListener("keydown", function (event) {
    const form = document.querySelector("form[data-compare]");
    const held = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (!form || held || event.repeat || event.isComposing || !isOn()) return;
    if (isTyping(event.target)) return;
    const control = pressed(form, event.code);
    if (!control) return;
    event.preventDefault();
    control.click();
  });

  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-single-keys]")) return;
    storage(function (store) {
      store.setItem(KEPT, event.target.checked ? "on" : "off");
    });
  });

  function begin() {
    document.querySelectorAll("[data-single-keys]").forEach(function (box) {
      box.checked = isOn();
    });
  }

  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
