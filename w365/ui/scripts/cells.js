// How cells look. A cell is drawn anew from its row and mark; words come from the server.

const SHAPES = {mapped: "●", conflict: "▲", unmapped: "○", excluded: "⊘", parked: "‖"};

const draw = {
  name(box, row) {
    const open = make("span", "w365-name", row.name);
    box.append(open);
  },
  domain(box, row) {
    box.append(make("span", "w365-cut", row.domain || "no domain"));
    if (!row.domain) box.firstChild.classList.add("w365-quiet");
    if (row.more) box.append(make("span", "w365-more", `+${row.more}`));
  },
  status(box, row) {
    box.append(make("span", `w365-shape w365-${row.status}`, SHAPES[row.status]), make("span", "", row.statusWord));
    box.firstChild.setAttribute("aria-hidden", "true");
  },
  specific_id(box, row) {
    const id = row.specificId;
    box.append(make("span", "w365-cut w365-code", id.length > 13 ? `${id.slice(0, 8)}…` : id));
    const button = make("button", "w365-copy", "Copy");
    button.tabIndex = -1;
    button.setAttribute("aria-label", `Copy the id of ${row.name}`);
    button.addEventListener("click", () => copy(id, button));
    box.append(button);
  },
  account(box, row, node) {
    const now = marks.get(node.id);
    if (now?.state === "refused") { drawRefusal(box, row, node, now.text); return; }
    if (now?.state === "saving") {
      box.append(make("span", "w365-cut w365-quiet", now.text || "Clear mapping"), make("span", "w365-mark", "Saving…"));
      return;
    }
    drawAccount(box, row);
    if (row.account !== null) box.append(accountButton(row));
    if (now?.state === "saved") box.append(make("span", "w365-mark w365-saved", "✓ Saved"));
  },
};

const drawAccount = (box, row) => {
  if (row.account === null) {
    box.append(make("span", "w365-cut w365-quiet", row.hint));
    if (row.hintScore) box.append(make("span", "w365-mark w365-quiet", row.hintScore));
    return;
  }
  box.append(make("span", "w365-cut", row.accountName || "(no name)"));
  if (row.accountGone) box.append(make("span", "w365-mark w365-warn", "inactive"));
};

const accountButton = (row) => {
  const button = make("button", "w365-copy w365-view"); // its word is style: the cell's text is the name
  button.tabIndex = -1;
  button.setAttribute("aria-label", `All provider accounts of ${row.accountName}`);
  button.addEventListener("click", (event) => { event.stopPropagation(); tellPage("account", row.id); });
  return button;
};

const drawRefusal = (box, row, node, text) => {
  const shown = row.account === null ? "Not saved. " : `${row.accountName}. Not saved: `;
  const sentence = make("span", "w365-refusal");
  sentence.append(make("strong", "", shown), document.createTextNode(text));
  const close = make("button", "w365-button", "OK");
  close.tabIndex = -1;
  close.setAttribute("aria-label", "Hide this message");
  close.addEventListener("click", (event) => { event.stopPropagation(); mark(node, null); });
  box.append(sentence, close);
};

class Cell {
  init(params) {
    this.gui = make("div", `w365-cell w365-is-${params.kind}`);
    this.refresh(params);
  }
  refresh(params) {
    this.gui.replaceChildren();
    if (params.data) draw[params.kind](this.gui, params.data, params.node);
    return true;
  }
  getGui() { return this.gui; }
}

const copy = async (text, button) => {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = copyOldWay(text) ? "Copied" : "No access";
  }
  say(`${text} ${button.textContent.toLowerCase()}`);
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
};

// Without https the browser has no clipboard for pages but this one.
const copyOldWay = (text) => {
  const field = make("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
};
