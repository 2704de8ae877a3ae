// Keys that the page server's own shortcuts do not know: "?", Escape, and moving the focus into a field.
"use strict";

const page = window.parent.document;
let wanted = null; // the last focus that was asked for
let waiting = null;
let shown = null;

const tellPage = (message) => window.parent.postMessage({isStreamlitMessage: true, ...message}, "*");

const isTyping = (element) => Boolean(element?.closest?.("input, textarea, select, [contenteditable=true]"));

// The page answers a moment later than it asks: the field may not be there yet.
const focus = (label, tries = 30) => {
  clearTimeout(waiting);
  const named = `[aria-label="${CSS.escape(label)}"]`;
  const field = page.querySelector(`[role=dialog] ${named}`) || page.querySelector(named);
  if (field) { field.focus(); field.select?.(); show(field); }
  else if (tries) waiting = setTimeout(focus, 50, label, tries - 1);
};

// What is found comes below the field: there must be room for it in the window.
const ROOM = 340;
const show = (field) => {
  if (field.getBoundingClientRect().bottom > window.parent.innerHeight - ROOM) field.scrollIntoView({block: "center"});
};

let later = null;
const onInput = ({target}) => {
  clearTimeout(later);
  if (target.type === "search" || target.getAttribute("role") === "searchbox") later = setTimeout(show, 400, target);
};

const press = (...keys) => {
  const found = keys.map((key) => page.querySelector(`.st-key-${CSS.escape(key)} button`)).find(Boolean);
  found?.click();
};

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?" && !isTyping(event.target)) press("review-help", "review-cancel");
  if (event.key !== "Escape") return;
  if (isTyping(event.target)) event.target.blur();
  press("review-cancel");
};

// A key that is held down decides one row, not one after another.
const onRepeat = (event) => {
  if (event.repeat && !isTyping(event.target)) event.stopImmediatePropagation();
};

window.addEventListener("message", ({source, data}) => {
  if (source !== window.parent || data.type !== "streamlit:render") return;
  const {label, nonce, row} = data.args;
  if (row !== shown) page.querySelector("[data-testid=stMain]")?.scrollTo(0, 0); // the next row begins at its top
  shown = row;
  if (nonce === wanted) return;
  wanted = nonce;
  if (label) focus(label);
  else page.activeElement?.blur(); // out of a field, so that keys are keys again
});
page.addEventListener("keydown", onKey);
page.addEventListener("input", onInput);
window.parent.addEventListener("keydown", onRepeat, true);
window.addEventListener("pagehide", () => {
  page.removeEventListener("keydown", onKey);
  page.removeEventListener("input", onInput);
  window.parent.removeEventListener("keydown", onRepeat, true);
});

tellPage({type: "streamlit:componentReady", apiVersion: 1});
tellPage({type: "streamlit:setFrameHeight", height: 0});
