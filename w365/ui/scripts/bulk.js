// The bar under the rows: what can be done to the selected ones or to all of the filter, and the last decision's undo.
// It has its place from the start, so that nothing moves when a row is selected.

let isAll = false;
let lastDecision = null; // {decision, text, short}
let isDecided = false; // rows that are shown were decided: the filter holds fewer of them than were counted
let bar = null;

const selectedIds = () => api.getSelectedNodes().filter((node) => node.data).map((node) => node.data.id);

const button = (text, act, className = "w365-button") => {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
};

const startBar = () => {
  if (!context().mayEdit) return;
  bar = make("div", "w365-bar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Bulk actions");
  bar.addEventListener("keydown", leaveBar);
  document.body.append(bar);
  document.body.classList.add("w365-has-bar");
  drawBar();
};

// Tab leaves the rows, whose thousands of cells are for the arrow keys, and reaches what can be done to them.
const leaveRows = (event) => {
  event.preventDefault();
  if (event.shiftKey) api.setFocusedHeader("name");
  else document.querySelector(".w365-bar button:not(:disabled), .w365-columns").focus();
};

const leaveBar = (event) => {
  const isFirst = event.target === bar.querySelector("button:not(:disabled)");
  const cell = api.getFocusedCell();
  if (!cell || !(event.key === "Escape" || (event.key === "Tab" && event.shiftKey && isFirst))) return;
  event.preventDefault();
  api.setFocusedCell(cell.rowIndex, cell.column);
};

const drawBar = () => {
  if (!bar) return;
  const had = bar.contains(document.activeElement) ? document.activeElement.textContent : "";
  const amount = isAll ? total ?? 1 : selectedIds().length;
  const chosen = make("span", "w365-chosen", chosenText(amount));
  const rest = make("span", "w365-rest");
  if (amount) rest.append(button("Clear selection", clearSelection));
  if (!isAll && total > 0) rest.append(allButton());
  if (lastDecision) rest.prepend(undoButton());
  bar.replaceChildren(chosen, ...actionButtons(amount), rest);
  if (had) [...bar.querySelectorAll("button")].find((one) => one.textContent === had)?.focus();
};

const count = (number) => number.toLocaleString("en");

const chosenText = (amount) => {
  if (isAll) return total === null ? "All of this filter:" : `All ${count(amount)} of this filter:`;
  return amount ? `${count(amount)} selected:` : "None selected";
};

const actionButtons = (amount) => context().actions.split("|").map((one) => {
  const [action, label] = one.split(":");
  const element = button(label, () => tellBulk(action));
  element.disabled = amount === 0;
  return element;
});

const allButton = () => {
  const amount = isDecided ? "" : ` ${count(total)}`;
  const element = button(`Select all${amount}`, selectAll);
  element.setAttribute("aria-label", `Select all${amount} of this filter`);
  element.title = "All of this filter";
  return element;
};

const undoButton = () => {
  const {decision, text, short} = lastDecision;
  const element = button("Undo", () => { lastDecision = null; drawBar(); tellPage("undo", decision); });
  element.title = text;
  element.setAttribute("aria-label", `Undo: ${text}`);
  const line = make("span", "w365-last");
  const told = make("span", "w365-quiet w365-cut", short);
  told.title = text;
  line.append(told, element);
  return line;
};

const tellBulk = (action) => {
  const told = {what: "bulk", action, all: isAll, ids: isAll ? [] : selectedIds()};
  api.dispatchEvent({type: "w365", told: {...told, nonce: `${Date.now()}:${Math.random()}`}});
};

// The rows are selected by the server, which knows them all; the boxes show it for those that are there. What was decided
// meanwhile has left the filter, and leaves the grid now.
const selectAll = () => {
  isAll = true;
  if (isDecided) countAgain(); else markAll();
  drawBar();
  say(chosenText(total ?? 0));
};

const countAgain = () => {
  total = null;
  api.refreshInfiniteCache();
};

const markAll = () => {
  const nodes = [];
  api.forEachNode((node) => { if (node.data && !node.isSelected()) nodes.push(node); });
  if (nodes.length) api.setNodesSelected({nodes, newValue: true});
};

const clearSelection = () => {
  isAll = false;
  api.deselectAll();
  drawBar();
};

// Who takes a row out of "all" means the rows that stay marked; those further down are selected no more.
const BY_HAND = ["checkboxSelected", "spaceKey", "rowClicked"];
const onSelection = ({source}) => {
  if (BY_HAND.includes(source)) isAll = false;
  drawBar();
};

const offerUndo = (decision, text, short) => {
  lastDecision = {decision, text, short};
  isDecided = true;
  drawBar();
};
