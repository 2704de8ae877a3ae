// Rows by block from the server, which filters and sorts. The total is counted once a view and handed back.

let total = null;
let view = null;
let touched = null;

const rowsPath = (params) => {
  const query = new URLSearchParams(context().view);
  query.set("start", params.startRow);
  query.set("end", params.endRow);
  const [sorted] = params.sortModel;
  if (sorted) {
    query.set("sort", sorted.colId);
    query.set("descending", sorted.sort === "desc" ? "1" : "0");
  }
  if (total !== null) query.set("total", total);
  return `/api/rows?${query}`;
};

const source = {
  async getRows(params) {
    const asked = view;
    try {
      const body = await ask(rowsPath(params));
      if (asked !== view) { params.failCallback(); return; } // an answer for the filter before
      if (total === null) isDecided = false;
      total = body.total;
      params.successCallback(body.rows, total);
      showEmpty();
      if (isAll) markAll();
      drawBar();
      notice("");
    } catch (error) {
      params.failCallback();
      notice(error.message, () => api.refreshInfiniteCache());
    }
  },
};

const showEmpty = () => {
  if (total === 0) api.showNoRowsOverlay(); else api.hideOverlay();
};

// The page changed the options: another filter starts at the top, a row decided in the record is read again.
const look = () => {
  const now = context();
  if (now.view !== view) {
    const isFirst = view === null;
    view = now.view;
    total = null;
    marks.clear();
    if (!isFirst) {
      api.stopEditing(true);
      clearSelection();
      api.setGridOption("datasource", source);
    }
  }
  if (now.touched !== touched) {
    touched = now.touched;
    const [id, decision] = touched.split(".");
    if (id === "all") readAllAgain();
    else if (touched) readAgain(id, Number(decision));
  }
};

// Many rows changed: what is shown is read anew, where it stands.
const readAllAgain = () => {
  clearSelection();
  marks.clear();
  lastDecision = null;
  countAgain();
};

const readAgain = async (id, decision) => {
  const node = api.getRowNode(id), before = node?.data;
  if (!before) { countAgain(); return; }
  try {
    const [row] = (await ask(`/api/rows?row=${id}`)).rows;
    node.setData(row);
    mark(node, null);
    const word = row.status === before.status ? "Decided" : row.statusWord;
    if (decision) offerUndo(decision, `${row.name} was decided: ${row.statusWord}`, `${word}: ${row.name}`);
  } catch (error) {
    mark(node, "refused", error.message);
  }
};
