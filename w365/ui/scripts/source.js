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
      total = body.total;
      params.successCallback(body.rows, total);
      showEmpty();
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
      api.setGridOption("datasource", source);
    }
  }
  if (now.touched !== touched) {
    touched = now.touched;
    if (touched) readAgain(touched.split(".")[0]);
  }
};

const readAgain = async (id) => {
  const node = api.getRowNode(id);
  if (!node) return;
  try {
    const body = await ask(`/api/rows?row=${id}`);
    node.setData(body.rows[0]);
    mark(node, null);
  } catch (error) {
    mark(node, "refused", error.message);
  }
};
