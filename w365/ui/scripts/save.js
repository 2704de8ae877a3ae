// Save one cell with the version that was seen; the answer is the row as it is now.

const save = async (node, account, name) => {
  const before = node.data;
  mark(node, "saving", name);
  moveDown(node.rowIndex);
  try {
    const body = await ask("/api/mapping", {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({row: before.id, account, seen: before.version}),
    });
    node.setData(body.row);
    mark(node, "saved", "");
    const loss = before.clearing ? `: ${before.clearing}` : "";
    const told = account === null ? `Mapping of ${before.name} cleared${loss}` : `${before.name} mapped to ${name}`;
    say(told);
    offerUndo(body.row.version, told, `${account === null ? "Cleared" : "Mapped"}: ${before.name}`);
    setTimeout(() => { if (marks.get(node.id)?.state === "saved") mark(node, null); }, 2500);
  } catch (error) {
    await refuse(node, before, error);
  }
  tellPage("saved", before.id);
};

// Whether an edit whose answer was lost has been saved is not known; the row itself tells.
const refuse = async (node, before, error) => {
  let row = error.row, text = error.message;
  if (error.isLost) {
    try {
      row = (await ask(`/api/rows?row=${before.id}`)).rows[0];
      if (row.version !== before.version) text = "The answer was lost. This is the row as it is now.";
    } catch {
      text = "The app did not answer, so this may not have been saved. Reload the page to see.";
    }
  }
  node.setData(row || before);
  if (row && row.version !== before.version) {
    isDecided = true; // by somebody else
    drawBar();
  }
  mark(node, "refused", text);
  say(text);
};

// Down to the next row that waits for an account; where none of the loaded ones does, to the next row.
const moveDown = (rowIndex) => {
  const last = api.getDisplayedRowCount() - 1;
  const below = Math.min(rowIndex + 1, last);
  let next = below, node;
  while (next <= last && (node = api.getDisplayedRowAtIndex(next))?.data && !isOpen(node)) next += 1;
  if (next > last || !node?.data) next = below;
  api.ensureIndexVisible(next);
  api.setFocusedCell(next, "account");
};

// A row that is being saved is drawn as it was; its mark tells.
const isOpen = (node) =>
  ["unmapped", "conflict"].includes(node.data.status) && marks.get(node.id)?.state !== "saving";
