// Reading and comparing the answers: the map of what was read, the sheet after the choice, what was
// measured on the way, and a reload that loses none of it (what was typed and ticked is kept by
// drafts.js). Without this script the form is plain, and nothing is measured.
(function () {
  "use strict";

  const NARROW = window.matchMedia("(max-width: 699px)");
  const TABLET = window.matchMedia("(max-width: 1099px)");
  const SEEN = 98; // percent of a text from which its end counts as seen
  const HELD = 1000; // milliseconds
  let form = null; // the comparison of the turn at work
  let state = null;

  function all(selector, root) {
    return Array.from((root || form).querySelectorAll(selector));
  }

  function cards() {
    return all(".card");
  }

  function box(card, name) {
    return card.querySelector('[name="' + name + '"]');
  }

  function isRuledOut(card) {
    const ticked = box(card, "ruled_out");
    return ticked !== null && ticked.checked;
  }

  function chosen() {
    return form.querySelector('[name="choice"]:checked');
  }

  // ---- kept over a reload, in this tab ---------------------------------------------------------
  function storage(action) {
    try {
      return action(window.sessionStorage);
    } catch (refused) {
      return null; // storage is switched off
    }
  }

  function keep() {
    if (!form || !form.isConnected) return;
    const kept = {
      y: window.scrollY,
      x: form.querySelector(".cards").scrollLeft,
      reach: state.reach,
      changes: state.changes,
      first: state.first,
      choice: state.choice,
      pastes: state.pastes,
      visible: visibleNow(),
      sheet: !form.classList.contains("reading"),
    };
    storage(function (store) {
      store.setItem("reading:" + form.dataset.compare, JSON.stringify(kept));
    });
  }

  function kept() {
    const text = storage(function (store) {
      return store.getItem("reading:" + form.dataset.compare);
    });
    try {
      return JSON.parse(text) || {};
    } catch (broken) {
      return {};
    }
  }

  function restore(before) {
    const fields = form.elements;
    state = {
      reach: before.reach || {},
      changes: before.changes || Number(fields.changes.value) || 0,
      pastes: before.pastes || Number(fields.pastes.value) || 0,
      first: before.first || Number(fields.first_choice_ms.value) || null,
      choice: before.choice || null,
      chosenAt: 0,
      visible: before.visible || Number(fields.visible_ms.value) || 0,
      since: document.hidden ? null : performance.now(),
    };
    // What the server sent back to be mended is to be seen.
    const mended = form.hasAttribute("data-mended");
    form.classList.toggle("reading", before.sheet === false && !mended);
  }

  function goBackTo(before) {
    if (!before.y) return;
    form.querySelector(".cards").scrollLeft = before.x || 0;
    if (Math.abs(window.scrollY - before.y) > 2) window.scrollTo(window.scrollX, before.y);
  }

  // ---- measured --------------------------------------------------------------------------------
  // Durations come from a clock that only runs forward: the date of the device does not matter.
  function visibleNow() {
    return Math.round(state.visible + (state.since === null ? 0 : performance.now() - state.since));
  }

  document.addEventListener("visibilitychange", function () {
    if (!form) return;
    if (document.hidden && state.since !== null) {
      state.visible = visibleNow();
      state.since = null;
    } else if (!document.hidden && state.since === null) {
      state.since = performance.now();
    }
    keep();
  });

  function noteChoice(value) {
    const now = visibleNow();
    if (state.first === null) state.first = Math.max(1, now);
    // The arrow keys pass over choices on their way: what was held for less is no change.
    const held = state.choice !== null && now - state.chosenAt >= HELD;
    if (held && state.choice !== value) state.changes += 1;
    state.choice = value;
    state.chosenAt = now;
  }

  function bottom() {
    const under = form.querySelector(".under");
    const covers = getComputedStyle(under).position === "fixed";
    return window.innerHeight - (covers ? under.offsetHeight : 0);
  }

  function noteReach() {
    if (!form || !form.isConnected || document.hidden) return;
    const end = bottom();
    const line = document.getElementById("line");
    const covered = line && !line.hidden ? line.offsetHeight : 0;
    cards().forEach(function (card) {
      if (isRuledOut(card) || card.classList.contains("away")) return;
      const text = card.querySelector(".text");
      const place = text.getBoundingClientRect();
      const middle = (place.left + place.right) / 2;
      const last = text.lastElementChild || text;
      const height = last.getBoundingClientRect().bottom - place.top;
      const folded = height > place.height + 2;
      const fold = box(card, "expanded");
      if (fold) fold.parentNode.hidden = !folded && !fold.checked;
      // Only what is on screen was seen: a jump passes over the texts between.
      const beside = middle < 0 || middle > window.innerWidth;
      if (beside || height <= 0 || place.top > end || place.top + height < covered) return;
      const percent = Math.round((100 * (end - place.top)) / height);
      const most = folded ? Math.floor((100 * place.height) / height) : 100;
      const now = Math.max(0, Math.min(most, percent >= SEEN ? 100 : percent));
      state.reach[card.dataset.letter] = Math.max(now, state.reach[card.dataset.letter] || 0);
    });
    draw();
  }

  function writeMeasures() {
    const fields = form.elements;
    noteReach();
    fields.visible_ms.value = visibleNow();
    fields.first_choice_ms.value = state.first === null ? "" : state.first;
    fields.changes.value = state.changes;
    fields.pastes.value = form.hasAttribute("data-pastes") ? state.pastes : "";
    fields.layout.value = form.dataset.layout;
    fields.viewport.value = NARROW.matches ? "phone" : TABLET.matches ? "tablet" : "wide";
    fields.reach.value = cards()
      .map(function (card) {
        return state.reach[card.dataset.letter] || 0;
      })
      .join(" ");
  }

  document.addEventListener(
    "submit",
    function (event) {
      if (event.target === form) writeMeasures();
    },
    true,
  );
  document.addEventListener("beforeinput", function (event) {
    const pasted = event.inputType === "insertFromPaste" || event.inputType === "insertFromDrop";
    // Only of people who agreed to it.
    if (!form || !form.hasAttribute("data-pastes")) return;
    if (pasted && form.contains(event.target)) state.pastes += 1;
  });

  // ---- the map ---------------------------------------------------------------------------------
  function draw() {
    const map = form.querySelector(".map");
    const picked = chosen();
    cards().forEach(function (card) {
      const letter = card.dataset.letter;
      const link = map.querySelector('[data-go="' + letter + '"]');
      const is = box(card, "choice").checked
        ? "chosen"
        : isRuledOut(card)
          ? "ruled"
          : state.reach[letter] >= 100
            ? "read"
            : "unread";
      if (link.className === is) return;
      link.className = is;
      link.querySelector(".state").textContent = ", " + map.dataset[is];
    });
    const pair = left();
    const flip = map.querySelector(".flip");
    flip.hidden = pair.length !== 2 || cards().length < 3 || picked !== null;
    if (!flip.hidden) {
      const letters = pair.map(function (card) {
        return card.dataset.letter;
      });
      flip.textContent = map.dataset.flip + " " + letters.join("/");
    }
    map.querySelector(".map-none").hidden = picked !== null || !flip.hidden;
    map.querySelector(".open-sheet").hidden = picked === null || !form.classList.contains("reading");
  }

  function left() {
    return cards().filter(function (card) {
      return !isRuledOut(card);
    });
  }

  function showBoth() {
    cards().forEach(function (card) {
      card.classList.remove("away");
    });
  }

  function go(letter) {
    const card = document.getElementById("card-" + letter);
    showBoth();
    form.classList.toggle("reading", chosen() !== null);
    draw();
    card.scrollIntoView({ block: "start", inline: "center" });
    card.focus({ preventScroll: true });
  }

  // One of the two that are left takes the other's place, so that the eye need not move.
  function flip() {
    const pair = left();
    const shown =
      pair.find(function (card) {
        return pair.some(function (other) {
          return other !== card && other.classList.contains("away");
        });
      }) || nearest(pair);
    const other = pair[0] === shown ? pair[1] : pair[0];
    if (form.dataset.layout === "pager") {
      other.scrollIntoView({ block: "nearest", inline: "center" });
      return;
    }
    const place = shown.getBoundingClientRect().top;
    other.classList.remove("away");
    shown.classList.add("away");
    window.scrollBy(0, other.getBoundingClientRect().top - place);
    const said = document.getElementById("announcer");
    if (said) said.textContent = other.querySelector("h2").textContent;
    noteReach();
  }

  function nearest(pair) {
    const middle = bottom() / 2;
    const far = pair.map(function (card) {
      const place = card.getBoundingClientRect();
      return Math.abs((place.top + place.bottom) / 2 - middle);
    });
    return far[0] <= far[1] ? pair[0] : pair[1];
  }

  document.addEventListener("click", function (event) {
    if (!form || !form.contains(event.target)) return;
    const letter = event.target.closest("[data-go]");
    const page = event.target.closest(".turn-page");
    const layout = event.target.closest("[data-set-layout]");
    if (letter || page) {
      event.preventDefault();
      go(letter ? letter.dataset.go : page.hash.replace("#card-", ""));
    } else if (event.target.closest(".flip")) {
      flip();
    } else if (event.target.closest(".map-none")) {
      document.getElementById("choice-none").click();
    } else if (event.target.closest(".open-sheet")) {
      openSheet();
    } else if (layout) {
      prefer(layout.dataset.setLayout);
      setLayout(layout.dataset.setLayout);
      const picked = chosen() && chosen().closest(".card");
      if (picked) picked.scrollIntoView({ block: "nearest", inline: "center" });
    }
    onceShown();
  });

  // ---- choosing --------------------------------------------------------------------------------
  function openSheet() {
    form.classList.remove("reading");
    draw();
    bringIntoSight();
  }

  // What was chosen stays in sight above the sheet.
  function bringIntoSight() {
    const picked = chosen();
    const card = picked && (picked.closest(".card") || picked.closest(".pick"));
    if (!card || !NARROW.matches) return;
    const below = card.getBoundingClientRect().bottom - bottom() + 8;
    if (below > 0) window.scrollBy(0, below);
  }

  document.addEventListener("change", function (event) {
    if (!form || !form.contains(event.target)) return;
    const card = event.target.closest(".card");
    if (event.target.name === "choice") {
      noteChoice(event.target.value);
      showBoth();
      openSheet();
    } else if (event.target.name === "ruled_out") {
      if (event.target.checked) box(card, "choice").checked = false;
      showBoth();
      draw();
      if (NARROW.matches) card.scrollIntoView({ block: "start", inline: "nearest" });
    }
    onceShown();
  });

  // What unfolds in the sheet unfolds below its edge.
  document.addEventListener(
    "toggle",
    function (event) {
      if (!form || !form.contains(event.target) || !event.target.open) return;
      if (NARROW.matches) event.target.scrollIntoView({ block: "start" });
    },
    true,
  );

  // ---- layouts ---------------------------------------------------------------------------------
  function width() {
    return NARROW.matches ? "narrow" : "wide";
  }

  // What the person changed to counts for the turns to come, on screens of this kind.
  function prefer(layout) {
    storage(function (store) {
      store.setItem("layout:" + width(), layout);
    });
  }

  function preferred() {
    return storage(function (store) {
      return store.getItem("layout:" + width());
    });
  }

  function setLayout(layout) {
    const allowed = form.dataset[width()].split(" ");
    const wanted = allowed.includes(layout) ? layout : allowed[0];
    form.dataset.layout = wanted;
    all("[data-set-layout]").forEach(function (button) {
      button.hidden = allowed.length < 2 || !allowed.includes(button.dataset.setLayout);
      button.setAttribute("aria-pressed", String(button.dataset.setLayout === wanted));
    });
    draw();
  }

  // The row of the turn says how its answers stood when they were first seen: on a page to come.
  function tellScreen() {
    document.cookie = "screen=" + width() + "; path=/; samesite=lax";
  }

  tellScreen();
  NARROW.addEventListener("change", function () {
    tellScreen();
    if (form) setLayout(preferred());
  });

  // ---- the keyboard of a phone -----------------------------------------------------------------
  // Browsers that lay it over the page say so here; the others make the window smaller.
  const tallest = {}; // the window's height without a keyboard, by its width

  function noteKeyboard() {
    const view = window.visualViewport;
    if (view.scale > 1.05) return; // zoomed in: the rest of the page is no keyboard
    const covered = Math.max(0, Math.round(window.innerHeight - view.height - view.offsetTop));
    const most = Math.max(tallest[window.innerWidth] || 0, view.height);
    const typing = document.activeElement !== null && document.activeElement.matches("textarea");
    tallest[window.innerWidth] = most;
    document.documentElement.style.setProperty("--keyboard", covered + "px");
    document.documentElement.classList.toggle("keyboard", typing && view.height < most * 0.75);
  }

  if (window.visualViewport) {
    window.visualViewport.addEventListener("resize", noteKeyboard);
    window.visualViewport.addEventListener("scroll", noteKeyboard);
    document.addEventListener("focusin", noteKeyboard);
    noteKeyboard();
  }

  // ---- the words that are answered, in one line on top once they have left the window ----------
  let observer = null;

  function watchWords() {
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

  // ---- every page, and every page that was swapped in ------------------------------------------
  let waiting = false;

  function note() {
    if (!form) return;
    noteReach();
    keep();
  }

  function soon() {
    if (waiting || !form) return;
    waiting = true;
    requestAnimationFrame(function () {
      waiting = false;
      note();
    });
  }

  // Measuring makes the browser lay the page out, and what a tap shows must not wait for that.
  function onceShown() {
    requestAnimationFrame(function () {
      setTimeout(note);
    });
  }

  window.addEventListener("scroll", soon, { passive: true });
  window.addEventListener("resize", soon);
  document.addEventListener("scroll", soon, { passive: true, capture: true }); // the pager's own
  window.addEventListener("pagehide", keep);

  function begin() {
    watchWords();
    const found = document.querySelector("form[data-compare]");
    if (found === form) return;
    form = found;
    if (!form) return;
    const before = kept();
    restore(before);
    // Browsers that cannot tell what is chosen keep the plain form: the sheet would always be open.
    form.classList.toggle("sheeted", window.CSS.supports("selector(:has(*))"));
    form.querySelector(".map").hidden = false;
    setLayout(preferred());
    goBackTo(before);
    noteReach();
    document.fonts.ready.then(note); // other letters, other lines
  }

  document.addEventListener("htmx:afterSettle", begin);
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", begin);
  } else {
    begin();
  }
})();
