// The lookup cell's editor: this row's candidates, then the whole CRM as one types. It saves by itself, and only for
// an item that was chosen; to the grid every edit looks cancelled, so leaving in any other way restores the cell.

const DEBOUNCE_MS = 120;
const ROOM = 340;
const WIDTH = 520;

class Lookup {
  init(params) {
    this.params = params;
    this.row = params.data;
    this.items = [];
    this.active = -1;
    this.isWaiting = false;
    this.isChosen = false;
    this.build();
    const typed = params.eventKey && params.eventKey.length === 1 ? params.eventKey : "";
    this.input.value = typed;
    this.look();
  }

  build() {
    this.gui = make("div", "w365-lookup");
    this.gui.style.width = `${Math.max(WIDTH, this.params.column.getActualWidth())}px`;
    this.input = make("input", "w365-input");
    this.list = make("ul", "w365-list");
    this.note = make("div", "w365-note");
    this.list.id = "w365-accounts";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "CRM accounts");
    this.note.setAttribute("role", "status");
    const attributes = {
      type: "text", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "true",
      "aria-controls": this.list.id, "aria-label": `CRM account for ${this.row.name}`,
      placeholder: "Name, domain or account number", autocomplete: "off", spellcheck: "false",
    };
    Object.entries(attributes).forEach(([name, value]) => this.input.setAttribute(name, value));
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.gui.append(this.input, this.list, this.note);
  }

  look() {
    const text = this.input.value.trim();
    clearTimeout(this.timer);
    this.request?.abort();
    this.isWaiting = true;
    this.note.textContent = "Searching…";
    this.timer = setTimeout(() => this.fetch(text), text ? DEBOUNCE_MS : 0);
  }

  async fetch(text) {
    const request = this.request = new AbortController();
    const query = new URLSearchParams({q: text, row: this.row.id});
    try {
      const body = await ask(`/api/accounts?${query}`, {signal: request.signal});
      if (request === this.request && !request.signal.aborted) this.show(body, text);
    } catch (error) {
      if (request !== this.request || request.signal.aborted) return;
      this.show({accounts: []}, text);
      this.note.textContent = error.message;
    }
  }

  show(body, text) {
    this.isWaiting = false;
    this.items = body.accounts.map((account) => ({account: account.id, name: account.name, of: account}));
    const found = this.items.length;
    if (this.row.account !== null) this.items.push({account: null, name: "Clear mapping"});
    this.list.replaceChildren(...this.items.map((item, index) => this.line(item, index)));
    // Nothing is chosen beforehand where Enter would change a decision, pick one of several equal accounts, an account
    // that is inactive, somebody else's or hardly the customer's, or one that is only spelt like what was typed.
    const isWanted = text && !body.accounts[0]?.isGuess;
    const [first] = body.accounts;
    const isOffered = this.row.account === null && !this.row.mustChoose && first?.isLikely && !first.warning;
    const isSure = isWanted || (!text && isOffered);
    this.activate(found && isSure ? 0 : -1);
    this.note.textContent = this.words(found, text, body.more);
  }

  words(found, text, more) {
    if (!text && !found) return "No candidates. Type to search all accounts.";
    if (!text) return "Candidates. Type to search all accounts.";
    if (!found) return "No account found.";
    return more ? `The first ${found}. Type more to narrow down.` : `${found} found.`;
  }

  line(item, index) {
    const line = make("li", "w365-item");
    line.id = `w365-account-${index}`;
    line.setAttribute("role", "option");
    const head = make("div", "w365-line");
    head.append(make("span", "w365-cut", item.name));
    line.append(head);
    if (item.of) this.describe(line, head, item.of); else this.describeClear(line);
    line.addEventListener("mousedown", (event) => event.preventDefault());
    line.addEventListener("click", () => this.choose(index));
    return line;
  }

  describeClear(line) {
    line.classList.add("w365-clear");
    if (this.row.clearing) line.append(make("div", "w365-about w365-warn", this.row.clearing));
  }

  describe(line, head, account) {
    if (account.id === this.row.account) head.append(make("span", "w365-tag", "mapped now"));
    if (account.warning) head.append(make("span", "w365-tag w365-warn", account.warning));
    if (account.score) head.append(make("span", "w365-score", account.score));
    if (account.about) line.append(make("div", "w365-about", account.about));
    if (account.reasons) line.append(make("div", "w365-about", account.reasons));
  }

  activate(index) {
    this.active = index;
    [...this.list.children].forEach((line, at) => {
      line.setAttribute("aria-selected", String(at === index));
      if (at === index) line.scrollIntoView({block: "nearest"});
    });
    if (index < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `w365-account-${index}`);
  }

  press(event) {
    const last = this.items.length - 1;
    const moves = {ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5};
    if (event.key in moves) {
      event.preventDefault();
      if (last >= 0) this.activate(Math.max(0, Math.min(last, this.active + moves[event.key])));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.isWaiting && this.active >= 0) this.choose(this.active);
    } else if (event.key === "Escape") {
      this.leave();
    } else if (event.key === "Tab") {
      event.preventDefault();
      this.leave();
      api.setFocusedCell(this.params.node.rowIndex, event.shiftKey ? "domain" : "status");
    }
    event.stopPropagation();
  }

  choose(index) {
    if (this.isChosen) return;
    const item = this.items[index];
    this.isChosen = true;
    this.leave();
    if (item.account !== this.row.account) save(this.params.node, item.account, item.account === null ? "" : item.name);
    else moveDown(this.params.node.rowIndex);
  }

  leave() {
    const {node} = this.params;
    this.params.stopEditing(true);
    api.setFocusedCell(node.rowIndex, "account");
  }

  afterGuiAttached() {
    if (marks.get(this.params.node.id)?.state === "refused") marks.delete(this.params.node.id);
    this.place();
    this.input.focus();
    this.onBlur = () => setTimeout(() => this.leaveIfPageWasClicked());
    window.addEventListener("blur", this.onBlur);
  }

  // Above the cell when there is no room below, with the input next to the cell in both. The grid sets `top` once more
  // after this, so that a rule of the style sheet has to say where the popup ends; what leaves its box is cut off.
  place() {
    const popup = this.gui.closest(".ag-popup-child");
    const cell = this.params.eGridCell?.getBoundingClientRect();
    if (!popup || !cell) return;
    popup.setAttribute("aria-label", `CRM account for ${this.row.name}`);
    window.frameElement?.scrollIntoView({block: "nearest"}); // a small window shows a part of the grid only
    const box = popup.offsetParent.getBoundingClientRect();
    const below = box.bottom - cell.bottom, above = cell.top - box.top;
    const isAbove = below < ROOM && above > below;
    this.gui.classList.toggle("w365-above", isAbove);
    this.list.style.maxHeight = `${Math.min(360, (isAbove ? above : below) - 80)}px`;
    popup.style.setProperty("--w365-bottom", `${box.bottom - cell.top}px`);
  }

  // Another window may come to the front while one types; a click elsewhere on the page ends the edit.
  leaveIfPageWasClicked() {
    const page = window.parent.document;
    if (page.hasFocus() && page.activeElement !== window.frameElement) this.params.stopEditing(true);
  }

  getGui() { return this.gui; }
  getValue() { return this.params.value; }
  isCancelAfterEnd() { return true; }
  destroy() {
    clearTimeout(this.timer);
    this.request?.abort();
    window.removeEventListener("blur", this.onBlur);
  }
}
