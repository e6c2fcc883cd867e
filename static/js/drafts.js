// Drafts: what is typed is kept on this device at once, and on the server within three seconds.
//
// A form with `data-draft` says where its drafts go; its name, `data-form`, changes with everything
// that is accepted, so that an old draft never fills a new form. The server tells two open pages of
// one form apart, and says which draft is newer. What is answered in a form with `data-hold`, about
// the person, goes nowhere before it is sent.
(function () {
  "use strict";

  const EVERY = 3000; // milliseconds: at most one draft in so long
  const IDLE = 800; // milliseconds without a key after which a draft goes, if one may
  const TOO_OLD = 14 * 24 * 3600 * 1000;
  const KEEPALIVE = 60000; // bytes that a browser still sends for a page that is closing
  const MARK = "draft:";
  const HELD = "held:";
  const writer = random();
  // By form name: what the server has told (`seen`), what was sent last, and whether all of it was.
  const states = new Map();

  function random() {
    const bytes = new Uint8Array(12);
    window.crypto.getRandomValues(bytes);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // ---- this device -------------------------------------------------------------------------------
  function storage(action, kind) {
    try {
      return action(window[kind || "localStorage"]);
    } catch (refused) {
      return null; // storage is switched off or full: the server's copy has to do
    }
  }

  function entries() {
    const found = storage(function (store) {
      return Object.keys(store)
        .filter((key) => key.startsWith(MARK))
        .map((key) => ({ key: key, ...JSON.parse(store.getItem(key)) }));
    });
    return found || [];
  }

  function place(name) {
    return MARK + name + "|" + writer;
  }

  function keepHere(name, fields, saved) {
    const said = JSON.stringify({ name: name, fields: fields, saved: saved, seen: states.get(name).seen, at: Date.now() });
    storage((store) => store.setItem(place(name), said));
  }

  // By this device's date, which may be wrong: a copy that looks too old is so only when it still
  // is as long again after that was seen.
  function isTooOld(entry) {
    const now = Date.now();
    if (now - entry.at <= TOO_OLD) return false;
    if (entry.old) return now - entry.old > TOO_OLD;
    const { key, ...kept } = entry;
    storage((store) => store.setItem(key, JSON.stringify({ ...kept, old: now })));
    return false;
  }

  function forgetHere(unwanted) {
    entries().filter(unwanted).forEach((entry) => storage((store) => store.removeItem(entry.key)));
  }

  // ---- a form's fields ---------------------------------------------------------------------------
  function texts(form) {
    return Array.from(form.querySelectorAll("textarea[name]"));
  }

  function boxes(form) {
    return Array.from(form.querySelectorAll("input[type=checkbox], input[type=radio]"));
  }

  function read(form) {
    const fields = {};
    texts(form).forEach((field) => (fields[field.name] = field.value));
    // What is ticked has spaces between; what was unticked is said by an empty field.
    boxes(form).forEach(function (box) {
      const before = fields[box.name] || "";
      fields[box.name] = box.checked ? (before + " " + box.value).trim() : before;
    });
    return fields;
  }

  function write(form, fields) {
    texts(form).forEach(function (field) {
      if (field.name in fields) field.value = fields[field.name];
    });
    boxes(form).forEach(function (box) {
      if (box.name in fields) box.checked = fields[box.name].split(" ").includes(box.value);
    });
    const folded = form.closest("details");
    if (folded) folded.open = true;
  }

  function same(one, two) {
    return Object.keys({ ...one, ...two }).every((name) => (one[name] || "") === (two[name] || ""));
  }

  function forms() {
    return Array.from(document.querySelectorAll("form[data-draft]"));
  }

  function formNamed(name) {
    return forms().find((form) => form.dataset.form === name);
  }

  // ---- to the server, by a clock that nobody can set: the date of a device may jump ------------------
  function changed(form) {
    const name = form.dataset.form;
    const state = states.get(name) || begun(form);
    const fields = read(form);
    keepHere(name, fields, false);
    // A choice alone stays here: the form is about to be sent.
    if (!state.revision && !Object.keys(fields).some((key) => key !== "choice" && fields[key])) return;
    const now = performance.now();
    if (!state.dirty) state.since = now;
    state.dirty = true;
    say("saving");
    schedule(name, Math.max(state.sentAt + EVERY, Math.min(now + IDLE, state.since + EVERY)));
  }

  function schedule(name, due) {
    const state = states.get(name);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => send(name), Math.max(0, due - performance.now()));
  }

  function body(form, state) {
    const said = new URLSearchParams(read(form));
    said.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    said.set("form", form.dataset.form);
    said.set("writer", writer);
    said.set("seen", state.seen);
    said.set("draft_revision", state.revision);
    return said;
  }

  function send(name, closing) {
    const form = formNamed(name);
    const state = states.get(name);
    if (!form || !state || !state.dirty || (state.busy && !closing) || form.dataset.sent) return;
    state.revision += 1;
    state.sentAt = performance.now();
    state.dirty = false;
    state.busy = true;
    const said = body(form, state);
    const fields = read(form);
    const revision = state.revision;
    fetch(form.dataset.draft, {
      method: "POST",
      body: said,
      credentials: "same-origin",
      redirect: "error",
      keepalive: said.toString().length < KEEPALIVE,
    })
      .then((response) => answered(name, response, fields, revision))
      .catch(() => failed(name));
  }

  function answered(name, response, fields, revision) {
    const state = states.get(name);
    if (response.status === 409) return response.json().then((said) => conflict(name, said));
    if (response.status !== 204) return failed(name, response.status < 500);
    const recovered = state.failures > 0;
    Object.assign(state, { busy: false, failures: 0, seen: Math.max(state.seen, revision) });
    if (state.dirty) return schedule(name, state.sentAt + EVERY);
    keepHere(name, fields, true);
    say("saved", recovered);
  }

  // What failed is tried again, later and later; what is refused is not, until something is typed.
  function failed(name, refused) {
    const state = states.get(name);
    Object.assign(state, { busy: false, dirty: true, since: performance.now(), failures: state.failures + 1 });
    say(navigator.onLine ? "unsaved" : "offline", state.failures === 1);
    if (!refused) schedule(name, performance.now() + EVERY * Math.min(state.failures, 5));
  }

  function sendAll(closing) {
    states.forEach((_, name) => send(name, closing));
  }

  // ---- answers about a person: in this tab only, and no longer than until they are sent -------------
  function hold(form, sent) {
    const said = JSON.stringify({ sent: sent, fields: Array.from(new FormData(form)) });
    storage((store) => store.setItem(HELD + form.dataset.hold, said), "sessionStorage");
  }

  // A page that comes after the sending has none of its answers; the form itself gets them back.
  function bringBack(leaving) {
    const form = document.querySelector("form[data-hold]");
    storage(function (store) {
      Object.keys(store).forEach(function (key) {
        if (!key.startsWith(HELD)) return;
        const held = JSON.parse(store.getItem(key));
        if (form && key === HELD + form.dataset.hold) fill(form, held.fields);
        else if (held.sent || leaving) store.removeItem(key);
      });
    }, "sessionStorage");
  }

  function fill(form, fields) {
    form.querySelectorAll("input:not([type=hidden]), textarea").forEach(function (field) {
      const own = fields.filter((pair) => pair[0] === field.name).map((pair) => pair[1]);
      if (/checkbox|radio/.test(field.type)) field.checked = own.includes(field.value);
      else if (own.length) field.value = own[0]; // a box beside it, of the same name, comes after it
    });
    hold(form, false);
  }

  // ---- two open pages ----------------------------------------------------------------------------
  function conflict(name, said) {
    const form = formNamed(name);
    const state = states.get(name);
    Object.assign(state, { busy: false, dirty: false });
    if (!form) return;
    say("unsaved", true);
    if (said.outcome === "late") notice(form, "late-draft");
    else if (said.fields) offer(form, said, true);
    else failed(name);
  }

  // Both texts stay within reach: the button changes to the other one and back. `ours` says whether
  // the field shows what was typed here.
  function offer(form, theirs, ours) {
    const state = states.get(form.dataset.form);
    state.seen = Math.max(state.seen, theirs.revision);
    state.revision = Math.max(state.revision, theirs.revision);
    if (same(theirs.fields, read(form))) return say("saved");
    const box = notice(form, "other-draft");
    const button = box.querySelector("button");
    let hidden = theirs.fields;
    let showsOurs = ours;
    button.textContent = showsOurs ? button.dataset.theirs : button.dataset.ours;
    button.addEventListener("click", function () {
      const shown = read(form);
      write(form, hidden);
      hidden = shown;
      showsOurs = !showsOurs;
      button.textContent = showsOurs ? button.dataset.theirs : button.dataset.ours;
      changed(form);
    });
  }

  function notice(form, template) {
    form.querySelectorAll("[data-notice]").forEach((before) => before.remove());
    const made = document.getElementById(template).content.firstElementChild.cloneNode(true);
    made.dataset.notice = template;
    const field = texts(form).find((text) => text.offsetParent); // one that can be seen
    if (field) field.parentNode.insertBefore(made, field);
    else form.prepend(made);
    return made;
  }

  // ---- what is saved, said in the bar, and aloud when it changes for better or worse ----------------
  function say(kind, aloud) {
    const bar = document.getElementById("saved");
    if (!bar) return;
    const words = bar.dataset[navigator.onLine ? kind : "offline"];
    bar.textContent = words;
    const announcer = document.getElementById("announcer");
    if (aloud && announcer) announcer.textContent = words;
  }

  window.addEventListener("offline", () => say("offline", true));
  window.addEventListener("online", function () {
    if (Array.from(states.values()).some((state) => state.dirty)) sendAll();
    else if (states.size) say("saved");
  });

  // ---- every page, and every page that was swapped in ---------------------------------------------
  function begun(form) {
    const seen = Number(form.dataset.revision);
    const state = { seen: seen, revision: seen, sentAt: -EVERY, failures: 0 };
    states.set(form.dataset.form, state);
    return state;
  }

  function watch(form) {
    const name = form.dataset.form;
    if (states.has(name)) return restoreSwapped(form, states.get(name));
    begun(form);
    restore(form);
  }

  // The same form in a page that was swapped in: what was not sent by then is in memory and here.
  function restoreSwapped(form, state) {
    const ours = entries().find((entry) => entry.key === place(form.dataset.form));
    state.seen = Math.max(state.seen, Number(form.dataset.revision));
    if (ours && !ours.saved && !same(ours.fields, read(form))) write(form, ours.fields);
  }

  // The newest that this device kept and the server never got goes back into its field; where the
  // server has got something else since, that stands there, and ours is offered.
  function restore(form) {
    const name = form.dataset.form;
    const state = states.get(name);
    const mine = entries().filter((entry) => entry.name === name).sort((a, b) => b.at - a.at)[0];
    if (!mine || mine.saved || same(mine.fields, read(form))) return;
    if (mine.seen >= state.seen || mine.key.endsWith("|" + form.dataset.writer)) {
      write(form, mine.fields);
      changed(form);
    } else {
      offer(form, { fields: mine.fields, revision: state.seen }, false);
    }
  }

  function begin() {
    const leaving = document.querySelector("[data-forget-drafts]");
    bringBack(leaving);
    if (leaving) return forgetHere(() => true);
    forms().forEach(watch);
    // What the server has needs no copy here, once its form is gone.
    forgetHere((entry) => isTooOld(entry) || (entry.saved && !formNamed(entry.name)));
  }

  document.addEventListener("input", function (event) {
    const form = event.target.form;
    if (form && form.matches("[data-hold]")) return hold(form, false);
    // What is ticked may untick something else first: a choice that is ruled out is none any more.
    if (form && form.matches("[data-draft]")) setTimeout(() => changed(form));
  });
  document.addEventListener("submit", function (event) {
    if (event.target.matches("[data-hold]")) hold(event.target, true);
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    const form = event.detail.elt;
    if (!form || !form.matches || !form.matches("form[data-draft]")) return;
    const name = form.dataset.form;
    const state = states.get(name);
    if (event.detail.xhr.status === 200) forgetHere((entry) => entry.name === name);
    else if (state && state.dirty) schedule(name, performance.now() + EVERY);
  });
  window.addEventListener("pagehide", () => sendAll(true));
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) sendAll(true);
  });
  document.addEventListener("htmx:afterSettle", begin);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
