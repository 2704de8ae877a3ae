// What the grid's options refer to.

const ready = (event) => {
  api = event.api;
  document.querySelector('[role="grid"], [role="treegrid"]')?.setAttribute("aria-label", "Provider accounts");
  startBar();
  look();
  watchColumns();
  api.setGridOption("datasource", source);
  watchPage();
  window.addEventListener("focus", comeBack);
};

// After a record was closed the keyboard goes on where it left the grid.
const comeBack = () => {
  const cell = api.getFocusedCell();
  if (cell && document.activeElement === document.body) api.setFocusedCell(cell.rowIndex, cell.column);
};

const watchPage = () => {
  fit();
  const page = window.parent, block = page.document.querySelector('[data-testid="stMainBlockContainer"]');
  const observer = new page.ResizeObserver(fit);
  if (block) observer.observe(block);
  page.addEventListener("resize", fit);
  window.addEventListener("pagehide", () => {
    observer.disconnect();
    page.removeEventListener("resize", fit);
  });
};

// The grid takes what the window leaves below it.
const LOWEST = 420;
const MARGIN = 24;
const NARROW = 940; // from here down the bar has two lines
const fit = () => {
  const frame = window.frameElement, box = document.getElementById("gridContainer");
  if (!frame || !box) return;
  document.body.classList.toggle("w365-narrow", window.innerWidth < NARROW);
  const scrolled = frame.closest('[data-testid="stMain"]')?.scrollTop || 0;
  const top = frame.getBoundingClientRect().top + scrolled;
  box.style.height = `${Math.max(LOWEST, Math.floor(window.parent.innerHeight - top - MARGIN))}px`;
};

// The keyboard enters at the names; the boxes before them are for the mouse, Space selects the row it stands on.
const enter = ({fromBottom}) => {
  if (fromBottom) return false;
  api.setFocusedHeader("name");
  return true;
};

// Keys that the grid must not take: those that would clear a cell, and Tab.
const keepKey = ({event, editing}) => {
  if (editing) return false;
  if (event.key === "Tab") leaveRows(event);
  return ["Tab", "Delete", "Backspace"].includes(event.key);
};

const openRecord = (row) => { if (row) tellPage("open", row.id); };

const onKey = ({event, column, data}) => {
  if (event.key === "Enter" && column?.getColId() !== "account") openRecord(data);
};

const onDoubleClick = ({column, data}) => {
  if (column.getColId() !== "account") openRecord(data);
};

return {
  ready, Cell, Lookup, onKey, onDoubleClick, onSelection, enter,
  look: () => setTimeout(look),
  told: ({eventData}) => eventData.told,
  rowId: ({data}) => String(data.id),
  isEditable: ({data, context: now, node}) =>
    Boolean(data) && now.mayEdit && marks.get(node.id)?.state !== "saving",
  span: ({node}) => (marks.get(node?.id)?.state === "refused" ? 4 : 1),
  keepKey,
};
