// Reads the page for the judge: language, direction, widths, and every text
// with the element it stands in.
(() => {
  const name = (e) => {
    const parts = [];
    for (let n = e; n && n.nodeType === 1 && parts.length < 4; n = n.parentElement) {
      let s = n.localName;
      if (n.id) { parts.unshift(s + "#" + n.id); break; }
      const c = typeof n.className === "string" && n.className.trim().split(/\s+/).filter(Boolean).slice(0, 2).join(".");
      if (c) s += "." + c;
      parts.unshift(s);
    }
    return parts.join(" > ");
  };
  const root = document.documentElement;
  const page = (root.lang || "").split("-")[0];

  const texts = [];
  const add = (e, text, kind) => {
    text = text.replace(/\s+/g, " ").trim();
    if (!text) return;
    const l = e.closest("[lang]");
    const code = !!e.closest("code, pre, kbd, samp, textarea, .log-line");
    const data = !!e.closest("bdi, [dir=auto], [translate=no]");
    texts.push({ text, at: name(e), kind, code, data, lang: (l ? l.lang : "").split("-")[0] });
  };
  add(root, document.title, "title");
  const skip = new Set(["script", "style", "template", "noscript"]);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (n) =>
    n.nodeType === 1 && skip.has(n.localName) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    if (n.nodeType === 3) {
      add(n.parentElement, n.data, n.parentElement.localName === "option" ? "option" : "text");
      continue;
    }
    for (const a of ["aria-label", "aria-valuetext", "aria-description", "title", "placeholder", "alt", "data-confirm", "data-confirm-no", "data-pause", "data-resume", "label"]) {
      if (n.hasAttribute(a)) add(n, n.getAttribute(a), "attribute");
    }
    if (n.localName === "input" && ["submit", "button", "reset"].includes(n.type)) add(n, n.value, "attribute");
  }

  const limit = innerWidth;
  const over = [];
  const held = (e) => {
    for (let n = e.parentElement; n && n !== document.body && n !== root; n = n.parentElement) {
      if (getComputedStyle(n).overflowX !== "visible") return true;
    }
    return false;
  };
  if (root.scrollWidth > limit) {
    for (const e of document.body.querySelectorAll("*")) {
      const r = e.getBoundingClientRect();
      if (r.width && (r.right > limit + 1 || r.left < -1) && !held(e)) over.push({ at: name(e), from: Math.round(r.left), to: Math.round(r.right) });
      if (over.length === 5) break;
    }
  }
  return { lang: page, dir: root.dir, width: limit, scroll: root.scrollWidth, over, texts, headings: document.querySelectorAll("h1").length, mains: document.querySelectorAll("main").length };
})()
