// Which columns a person shows, how wide, in what order and by which they sort: kept in this browser.

const KEPT = "w365-columns";
let first = null; // the columns as they come
const BY_THEMSELVES = ["api", "gridInitializing", "gridOptionsChanged"]; // causes that are no person's doing

const readColumns = () => {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEPT));
    return Array.isArray(kept) ? kept.filter((one) => typeof one?.colId === "string") : null;
  } catch {
    return null; // no storage, or something else under this name
  }
};

const keepColumns = () => {
  const state = api.getColumnState().map(({colId, width, hide, sort}) => ({colId, width, hide, sort}));
  try { window.localStorage.setItem(KEPT, JSON.stringify(state)); } catch { /* private windows may refuse */ }
};

const restoreColumns = () => {
  const kept = readColumns();
  if (kept) api.applyColumnState({state: kept, applyOrder: true});
};

// What the rows are sorted by stands in the page's address too, so that a link shows what its sender saw.
const sortedBy = () => {
  const sorted = api.getColumnState().find(({sort}) => sort);
  return sorted ? `${sorted.sort === "desc" ? "-" : ""}${sorted.colId}` : "";
};

const sortBy = (by) => {
  const state = [{colId: by.replace(/^-/, ""), sort: by.startsWith("-") ? "desc" : "asc"}];
  api.applyColumnState({state, defaultState: {sort: null}});
};

let toldSort = null;
const tellSort = () => {
  const by = sortedBy();
  if (by === toldSort) return;
  toldSort = by;
  api.dispatchEvent({type: "w365", told: {what: "sort", by, nonce: `${Date.now()}:${Math.random()}`}});
};

const watchColumns = () => {
  first = api.getColumnState();
  restoreColumns();
  toldSort = context().sort;
  if (toldSort) sortBy(toldSort); // the address wins, and what is kept stays as it is
  else setTimeout(tellSort);
  const changed = ({type, source, finished}) => {
    if (finished === false || BY_THEMSELVES.includes(source)) return;
    keepColumns();
    if (type === "sortChanged") tellSort();
  };
  for (const type of ["columnMoved", "columnResized", "columnVisible", "sortChanged"]) {
    api.addEventListener(type, changed);
  }
  drawColumnsButton();
};

// The community grid has no panel for its columns.
const drawColumnsButton = () => {
  const button = make("button", "w365-button w365-columns", "Columns");
  button.setAttribute("aria-haspopup", "true");
  button.setAttribute("aria-expanded", "false");
  const close = () => {
    document.getElementById("w365-columns")?.remove();
    button.setAttribute("aria-expanded", "false");
  };
  const toggle = () => {
    if (document.getElementById("w365-columns")) { close(); return; }
    document.body.append(columnsMenu(close));
    button.setAttribute("aria-expanded", "true");
    document.querySelector("#w365-columns input").focus();
  };
  button.addEventListener("click", toggle);
  document.addEventListener("pointerdown", ({target}) => {
    if (!target.closest("#w365-columns, .w365-columns")) close();
  });
  document.addEventListener("keydown", ({key}) => {
    if (key !== "Escape" || !document.getElementById("w365-columns")) return;
    close();
    button.focus();
  });
  document.body.append(button);
};

const columnsMenu = (close) => {
  const menu = make("div", "w365-menu");
  menu.id = "w365-columns";
  menu.setAttribute("role", "group");
  menu.setAttribute("aria-label", "Columns to show");
  for (const column of api.getColumns()) {
    if (column.isPinned()) continue; // the name stays
    const line = make("label", "w365-choice"), box = make("input");
    box.type = "checkbox";
    box.checked = column.isVisible();
    box.addEventListener("change", () => {
      api.setColumnsVisible([column], box.checked);
      keepColumns();
    });
    line.append(box, make("span", "", column.getColDef().headerName));
    menu.append(line);
  }
  const reset = make("button", "w365-button", "As at first");
  reset.addEventListener("click", () => {
    try { window.localStorage.removeItem(KEPT); } catch { /* nothing was kept */ }
    api.applyColumnState({state: first, applyOrder: true});
    tellSort();
    close();
  });
  menu.append(reset);
  return menu;
};
