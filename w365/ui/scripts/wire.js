// Requests, marks and messages that the other scripts share. Text reaches the page through textContent only.

const marks = new Map(); // row id -> {state: "saving" | "saved" | "refused", text}
let api = null;
const base = location.pathname.split("/component/")[0]; // the path that the app has at this address

const context = () => api.getGridOption("context");

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// The token grows old while the page stays open; the browser's cookie and the session get a new one. Says why not.
const renewToken = async () => {
  const options = {method: "POST", headers: {"X-W365-Token": context().token}, credentials: "same-origin"};
  const answer = await fetch(`${base}/api/token`, options).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (answer?.ok) context().token = body.token;
  return answer?.ok ? "" : body?.error || "The app did not answer.";
};

const ask = async (path, options = {}, isSecond = false) => {
  const headers = {"X-W365-Token": context().token, ...options.headers};
  let answer, body;
  try {
    answer = await fetch(base + path, {...options, headers, credentials: "same-origin"});
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new Error("The app did not answer."), {isLost: true});
  }
  if (body.isOutdated && !isSecond) {
    body.error = await renewToken();
    if (!body.error) return ask(path, options, true);
  }
  if ([401, 403].includes(answer.status)) tellPage("ended", 0); // the page offers the way in, or what the role may
  if (!answer.ok) throw Object.assign(new Error(body.error || "The app refused this."), {row: body.row});
  return body;
};

// Screen readers hear what sighted people see at the row.
const say = (text) => {
  let region = document.getElementById("w365-said");
  if (!region) {
    region = make("div", "w365-said");
    region.id = "w365-said";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = text;
};

const notice = (text, retry) => {
  document.getElementById("w365-notice")?.remove();
  if (!text) return;
  const box = make("div", "w365-notice");
  box.id = "w365-notice";
  box.setAttribute("role", "alert");
  const again = make("button", "w365-button", "Try again");
  again.addEventListener("click", () => { notice(""); retry(); });
  box.append(make("span", "", text), again);
  document.body.append(box);
};

const mark = (node, state, text) => {
  const id = node.id;
  const wasWide = marks.get(id)?.state === "refused";
  if (state) marks.set(id, {state, text}); else marks.delete(id);
  // A refusal spans several columns, and only a redrawn row sees that.
  if (wasWide || state === "refused") api.redrawRows({rowNodes: [node]});
  else api.refreshCells({rowNodes: [node], force: true});
};

// Tell the page. The nonce makes two equal messages two.
const tellPage = (what, row) => {
  api.dispatchEvent({type: "w365", told: {what, row, nonce: `${Date.now()}:${Math.random()}`}});
};
