// Comforts over pages that work without them: theme, copying, showing a password, definitions, dialogs, the pulse of a running report.
// No eval and no handlers in the markup (CSP: script-src 'self'): an element names what it does in data-act.
const root = document.documentElement;
const by = (id) => document.getElementById(id);
const say = (words) => { by("live").textContent = words; };
root.classList.add("js");

const acts = {
  close: (button) => button.closest(".toast").remove(),
  async copy(button) {
    const text = by(button.dataset.for);
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
      say(button.dataset.done);
    } catch {
      getSelection().selectAllChildren(text);     // no clipboard on this address: the text is marked, the keys do the rest
      say(button.dataset.marked);
    }
  },
  reveal(button) {
    const field = by(button.dataset.for);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  },
  open(button, event) { event.preventDefault(); by(button.dataset.for).showModal(); },
  shut(button, event) { event.preventDefault(); button.closest("dialog").close(); },
  print: () => print(),
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) acts[button.dataset.act](button, event);
});
document.addEventListener("keydown", (event) => {     // a link that says it is a button is pressed by Space, too
  if (event.key !== " " || !event.target.matches("a[role=button]")) return;
  event.preventDefault();
  if (!event.repeat) event.target.click();
});

// ---- theme: the server keeps the choice, the page changes at once
const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const themes = document.querySelectorAll("form[data-theme-form]");
const mark = () => themes.forEach((form) => form.querySelector("button").setAttribute("aria-pressed", String(dark())));
mark();
for (const form of themes) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form);
    body.set("theme", dark() ? "light" : "dark");
    root.dataset.theme = body.get("theme");
    mark();
    await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => say(form.dataset.failed));
  });
}

// ---- one press, one request
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", (event) => {         // the page came back from the browser's memory
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }
});

// ---- a definition opens on hover and focus, stays while the pointer is on it, closes on Escape (WCAG 1.4.13); a tap works by itself
let leaving;
const tipOf = (target) => {
  const word = target.closest?.(".def");
  return word ? by(word.getAttribute("popovertarget")) : target.closest?.(".tip");
};
const show = (tip) => { clearTimeout(leaving); if (!tip.matches(":popover-open")) tip.showPopover({ source: document.querySelector(`[popovertarget="${tip.id}"]`) }); };
const hide = (tip) => { leaving = setTimeout(() => tip.matches(":popover-open") && tip.hidePopover(), 150); };
const onTip = (name, act, holds) => document.addEventListener(name, (event) => {
  const tip = tipOf(event.target);
  if (tip && holds(event)) act(tip);
});
onTip("pointerover", show, (event) => event.pointerType === "mouse");
onTip("pointerout", hide, (event) => event.pointerType === "mouse");
onTip("focusin", show, (event) => event.target.matches(".def:focus-visible"));
onTip("focusout", hide, (event) => event.target.matches(".def"));

// ---- the section that is on screen is marked in the contents
for (const nav of document.querySelectorAll("[data-spy]")) {
  const links = new Map([...nav.querySelectorAll("a")].map((link) => [by(link.hash.slice(1)), link]));
  const first = links.keys().next().value;
  const seen = new IntersectionObserver((entries) => {
    const now = scrollY < 80 ? first : entries.findLast((entry) => entry.isIntersecting)?.target;
    if (!now) return;
    for (const [part, link] of links) part === now ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const part of links.keys()) seen.observe(part);
}

// ---- a part that renews itself: a reader hears what has changed; the focus and what was typed, ticked or opened there stay
let heard = document.querySelector("[data-says]")?.dataset.says;
const isTick = (control) => control.matches("[type=checkbox], [type=radio]");
const nameOf = (one) => [one.id || one.name, isTick(one) ? one.value : "", one.tagName === "DETAILS" ? one.querySelector("summary").textContent : ""].join("|");
const keyOf = (one) => [nameOf(one), one.form?.getAttribute("action"), one.matches("select") ? "" : one.textContent.trim()].join("|");
const CHANGED = {
  DETAILS: (one) => one.open,
  SELECT: (one) => one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected)),
  INPUT: (one) => isTick(one) ? one.checked !== one.defaultChecked : one.value !== one.defaultValue,
};
const controlsOf = (part) => [...part.querySelectorAll("details, select, input:not([type=hidden])")];
const put = (old, fresh) => {
  if (old.tagName === "DETAILS") fresh.open = true;
  else if (isTick(old)) fresh.checked = old.checked;
  else if (old.tagName === "INPUT" || [...fresh.options].some((option) => option.value === old.value)) fresh.value = old.value;
};
let kept;
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = document.querySelector("[data-says]");
  if (!part) return;
  if (part.querySelector(":active")) { event.detail.shouldSwap = false; return; }      // a button under a pressed finger stays
  const held = part.contains(document.activeElement) ? keyOf(document.activeElement) : "";
  kept = { held, changed: controlsOf(part).filter((one) => CHANGED[one.tagName](one)) };
});
document.addEventListener("htmx:afterSwap", () => {
  const part = document.querySelector("[data-says]");
  if (!part || !kept) return;
  for (const old of kept.changed) {
    const fresh = controlsOf(part).find((one) => nameOf(one) === nameOf(old));
    if (fresh) put(old, fresh);
  }
  if (kept.held && !part.contains(document.activeElement)) {
    const same = [...part.querySelectorAll("a, button, input, select, summary, pre")].find((one) => keyOf(one) === kept.held);
    (same || part).focus({ preventScroll: true });
  }
  kept = undefined;
  if (heard !== part.dataset.says) say(part.dataset.says);
  heard = part.dataset.says;
});

// ---- a running report: how fresh the page is
const fresh = document.querySelector("[data-fresh]");
if (fresh) {
  const polled = () => document.querySelector("[data-says][hx-trigger]");
  let seen = Date.now();
  let lost = false;
  const beat = () => {
    const seconds = Math.round((Date.now() - seen) / 1000);
    fresh.toggleAttribute("data-lost", lost);
    fresh.textContent = !polled() ? "" : lost ? fresh.dataset.broken : seconds < 5 ? fresh.dataset.now : fresh.dataset.ago.replace("{n}", seconds);
  };
  const lose = () => { if (!lost) say(fresh.dataset.broken); lost = true; beat(); };
  document.addEventListener("htmx:sendError", lose);
  document.addEventListener("htmx:timeout", lose);
  document.addEventListener("htmx:responseError", lose);
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status >= 400) return;
    seen = Date.now();
    lost = false;
    beat();
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const turning of document.getAnimations()) turning.startTime = 0;                  // the ring goes on where it was
  });
  setInterval(beat, 1000);
  beat();
}
