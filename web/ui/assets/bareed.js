// Everything works without this file; it makes pages live and shortens ways.
"use strict";
(() => {
  const toasts = document.getElementById("toasts");
  const every = (what) => document.querySelectorAll(what);
  const word = (name) => toasts?.dataset[name] || "";

  function toast(text) {
    if (!toasts || !text) return;
    const p = document.createElement("p");
    p.className = "toast";
    p.textContent = text;
    toasts.append(p);
    setTimeout(() => p.remove(), 5000);
  }

  let said = 0;
  function say(text, now) {
    const node = document.getElementById("say");
    if (!node || !text || (!now && Date.now() - said < 60000)) return;
    said = Date.now();
    node.textContent = text;
  }

  // A refused form shows what is wrong.
  document.querySelector("[data-focus]")?.focus();

  // Appearance: at once here, kept by the server.
  for (const form of every("[data-theme-form]")) {
    form.addEventListener("submit", (e) => {
      const theme = e.submitter && e.submitter.value;
      if (!theme) return;
      e.preventDefault();
      document.documentElement.dataset.theme = theme;
      for (const b of every("[data-theme-form] button")) b.setAttribute("aria-pressed", String(b.value === theme));
      const body = new URLSearchParams(new FormData(form));
      body.set("theme", theme);
      fetch(form.action, { method: "POST", body, redirect: "manual" });
    });
  }

  // Copy fields.
  for (const b of every("[data-copy]")) {
    b.hidden = false;
    b.addEventListener("click", async () => {
      const field = document.getElementById(b.dataset.copy);
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        field.select();
        document.execCommand("copy");
      }
      toast(word("copied"));
    });
  }

  function question(text, yesText, noText, grave, then, otherwise) {
    const d = document.createElement("dialog");
    const p = document.createElement("p");
    const row = document.createElement("p");
    const button = (label, kind, act) => {
      const b = document.createElement("button");
      b.textContent = label;
      b.className = kind;
      b.addEventListener("click", () => { d.close(); act?.(); });
      row.append(b);
      return b;
    };
    p.textContent = text;
    row.className = "actions";
    const no = button(noText, "", otherwise);
    const yes = button(yesText, grave ? "danger" : "primary", then);
    d.addEventListener("close", () => d.remove());
    d.append(p, row);
    document.body.append(d);
    d.showModal();
    (grave ? no : yes).focus();
    return d;
  }

  // A question before something that cannot be taken back. Without script the
  // form's own page asks.
  document.addEventListener("submit", (e) => {
    const b = e.submitter;
    const ask = b && b.dataset.confirm;
    if (ask && !b.dataset.asked && window.HTMLDialogElement) {
      e.preventDefault();
      question(ask, b.textContent.trim(), b.dataset.confirmNo || "✕", b.classList.contains("danger"), () => {
        b.dataset.asked = "1";
        e.target.requestSubmit(b);
        delete b.dataset.asked;
      });
      return;
    }
    // A second press sends nothing; coming back by history frees the button.
    if (!e.defaultPrevented && e.target.method === "post") {
      if (e.target.dataset.sent) { e.preventDefault(); return; }
      e.target.dataset.sent = "1";
      setTimeout(() => delete e.target.dataset.sent, 8000);
    }
  });
  addEventListener("pageshow", () => {
    for (const f of every("form[data-sent]")) delete f.dataset.sent;
  });

  // Rows to tick: one box for all, and how many.
  for (const all of every("[data-select-all]")) {
    const boxes = () => [...every(`input[type=checkbox][name="${all.dataset.selectAll}"]`)];
    const show = () => {
      const n = boxes().filter((b) => b.checked).length;
      for (const b of boxes()) b.closest("tr")?.classList.toggle("chosen", b.checked);
      all.checked = n > 0 && n === boxes().length;
      all.indeterminate = n > 0 && n < boxes().length;
      for (const c of every("[data-selected]")) c.textContent = word("selected").replace("{n}", n);
    };
    all.hidden = false;
    all.addEventListener("change", () => { for (const b of boxes()) b.checked = all.checked; show(); });
    for (const b of boxes()) b.addEventListener("change", show);
  }

  // Dropping a file on its field.
  for (const drop of every(".drop")) {
    const input = drop.querySelector("input[type=file]");
    drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (e) => {
      e.preventDefault();
      drop.classList.remove("over");
      if (input && e.dataTransfer.files.length) {
        input.files = e.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  // Live parts. data-live="/path" is an event stream:
  //   event: fragments  HTML whose elements replace those of the same id
  //   event: say        a sentence for readers that listen, at most one a minute
  //   event: state      the same, at once
  //   event: end        nothing more comes; data "reload" loads the page again
  // Without a stream the page is asked for every 5 seconds instead.
  const parse = (html) => new DOMParser().parseFromString(html, "text/html");
  function swap(html) {
    for (const fresh of parse(html).querySelectorAll("[id]")) {
      const old = document.getElementById(fresh.id);
      if (!old || old.parentElement?.closest("[data-swapped]")) continue;
      if (old.matches(":active")) { // a click needs the button that was pressed
        old.late = fresh.outerHTML;
        setTimeout(() => { if (old.isConnected) swap(old.late); }, 250);
        continue;
      }
      const held = old.contains(document.activeElement) ? document.activeElement.id : "";
      if (held && old.querySelector("input:focus, textarea:focus, select:focus, details[open]:focus-within")) continue;
      fresh.setAttribute("data-swapped", "");
      old.replaceWith(fresh);
      if (held) document.getElementById(held)?.focus();
    }
    for (const e of every("[data-swapped]")) e.removeAttribute("data-swapped");
  }

  const ask = (body) => fetch(location.href, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" } });
  const show = (parts) => swap([...parts].filter(Boolean).map((e) => e.outerHTML).join(""));

  // Loading again must not undo a press on its way.
  let leaving = -Infinity;
  addEventListener("beforeunload", () => { leaving = Date.now(); });
  function again() {
    if (Date.now() - leaving < 5000) setTimeout(again, 1000); else location.reload();
  }

  function live(root) {
    let source = null, timer = 0, misses = 0, paused = false;
    const stop = () => { source?.close(); source = null; clearInterval(timer); timer = 0; };
    const poll = () => {
      if (timer) return;
      timer = setInterval(async () => {
        if (document.hidden) return;
        try {
          const r = await ask();
          if (!r.ok || r.redirected) return stop();
          const ids = [...root.querySelectorAll("[id]")].map((e) => e.id);
          const doc = parse(await r.text());
          if (!doc.querySelector("[data-live]")) { stop(); return again(); }
          show(ids.map((i) => doc.getElementById(i)));
        } catch { /* the next one may come through */ }
      }, Number(root.dataset.poll) || 5000);
    };
    const start = () => {
      stop();
      if (!window.EventSource || !root.dataset.live) return poll();
      source = new EventSource(root.dataset.live);
      source.addEventListener("fragments", (e) => { misses = 0; swap(e.data); });
      source.addEventListener("say", (e) => say(e.data));
      source.addEventListener("state", (e) => say(e.data, true));
      source.addEventListener("end", (e) => { stop(); if (e.data === "reload") again(); });
      source.addEventListener("error", () => {
        misses += 1;
        if (misses === 2) toast(word("lost"));
        if (source && (source.readyState === EventSource.CLOSED || misses > 4)) { stop(); poll(); }
      });
    };
    for (const b of every("[data-pause]")) {
      b.hidden = false;
      b.addEventListener("click", () => {
        paused = !paused;
        b.setAttribute("aria-pressed", String(paused));
        root.toggleAttribute("data-live-paused", paused);
        const label = b.querySelector("[data-label]") || b;
        label.textContent = paused ? b.dataset.resume : b.dataset.pause;
        say(word(paused ? "paused" : "resumed"), true);
        if (paused) stop(); else start();
      });
    }
    addEventListener("pagehide", stop);
    addEventListener("pageshow", (e) => { if (e.persisted && !paused) start(); });
    start();
  }
  // Seconds that run out, such as the time to take a launch back. What was left
  // when the page was written counts, not the reader's clock.
  const begun = new WeakMap();
  function countDown() {
    for (const e of every("[data-countdown]")) {
      if (!begun.has(e)) begun.set(e, performance.now());
      const left = Math.max(0, Math.round(Number(e.dataset.countdown) - (performance.now() - begun.get(e)) / 1000));
      const parts = left < 60 ? [left] : [Math.floor(left / 60), left % 60];
      const text = (left < 60 ? e.dataset.second : e.dataset.minute).replace(/0/g, () => parts.shift());
      if (e.textContent !== text) e.textContent = text;
    }
  }
  if (document.querySelector("[data-countdown]")) {
    countDown();
    setInterval(countDown, 250);
  }

  // What was chosen is shown at once: the form is asked how it would look; pick
  // names the parts to show.
  function showing(form, field, value, pick, then) {
    let asked = 0;
    form?.addEventListener("change", async (e) => {
      const parts = pick(e.target.name || "");
      if (!parts) return;
      const mine = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set(field, value);
      try {
        const r = await ask(body);
        const doc = parse(await r.text());
        if (mine !== asked || r.redirected || r.status >= 500) return;
        show(doc.querySelectorAll(parts));
        document.activeElement.scrollIntoView({ block: "nearest" });
        then?.(doc, e.target.name);
      } catch { /* the button still asks */ }
    });
  }
  const looked = document.querySelector("form[data-look]"), filled = /^(from|value)\./;
  for (const e of every("[data-look-button]")) e.hidden = true;
  showing(looked, "go", "look",
    (name) => filled.test(name) ? "#wizard-shown, #variables-missing" : /^(template|number)$/.test(name) && "#template, #wizard-slots, #wizard-shown",
    (doc, name) => {
      const lacking = document.getElementById("variables-missing");
      if (!filled.test(name)) say(lacking?.textContent, true);
      else if (!doc.getElementById("variables-missing")) lacking?.remove();
    });
  // An import's columns.
  showing(document.querySelector("form[data-columns]"), "act", "show",
    (name) => /^(column|default_c)/.test(name) && ".shown");

  const root = document.querySelector("[data-live]");
  if (root) live(root);

  // Two minutes before the session ends, a way to stay.
  const idle = Number(document.body.dataset.idle);
  if (idle > 180 && window.HTMLDialogElement) {
    let warn = 0, end = 0;
    const count = () => {
      clearTimeout(warn);
      clearTimeout(end);
      warn = setTimeout(() => {
        const d = question(word("ending"), word("stay"), word("leave"), false,
          async () => { if ((await fetch("/session")).status === 204) count(); else location.reload(); },
          () => document.querySelector("form[action='/sign-out'] button")?.click());
        end = setTimeout(() => { d.close(); location.reload(); }, 125000);
        d.addEventListener("close", () => clearTimeout(end));
      }, (idle - 120) * 1000);
    };
    count();
  }

  // Escape closes what was opened over the page.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    for (const d of every("details.menu[open], details.switch[open]")) {
      d.open = false;
      d.querySelector("summary").focus();
    }
  });
})();
