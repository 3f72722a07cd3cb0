// What htmx does not do. Without this file every page and form still works.
(() => {
  "use strict";

  // Numbers as the reader's place writes them. Times keep their words; the exact one is shown in local time.
  const numbers = new Intl.NumberFormat(navigator.language);
  const times = new Intl.DateTimeFormat(navigator.language, { dateStyle: "medium", timeStyle: "medium" });
  function localize(root) {
    for (const element of root.querySelectorAll("data[value]")) {
      element.textContent = numbers.format(Number(element.value));
    }
    for (const element of root.querySelectorAll("time[datetime]")) {
      const text = times.format(new Date(element.dateTime));
      if (element.classList.contains("moment")) {
        element.title = element.title || element.textContent;
        element.textContent = text;
      } else {
        element.title = text;
      }
    }
  }

  // A field for a time holds UTC; with a script it holds the reader's time, and a hidden one sends UTC.
  const isoSeconds = (date) => date.toISOString().slice(0, 19);
  function localizeFields(root) {
    for (const field of root.querySelectorAll("input[data-utc][name]")) {
      const utc = document.createElement("input");
      utc.type = "hidden";
      utc.name = field.name;
      field.removeAttribute("name");
      field.after(utc);
      if (field.value) {
        const date = new Date(`${field.value}Z`);
        field.value = isoSeconds(new Date(date - date.getTimezoneOffset() * 60000));
      }
      const tell = () => (utc.value = field.value ? isoSeconds(new Date(field.value)) : "");
      field.addEventListener("input", tell);
      tell();
      for (const label of field.labels) label.textContent = label.textContent.replace("UTC", "your time");
    }
  }

  // A sheet is open from the server on; with a script it is modal, and closing it goes where its link leads.
  function openSheets(root) {
    for (const dialog of root.querySelectorAll("dialog.sheet[open]")) {
      if (dialog.dataset.modal) continue;
      dialog.dataset.modal = "true";
      dialog.close();
      dialog.showModal();
      (dialog.querySelector("[aria-invalid=true]") ?? dialog.querySelector("input:not([type=hidden])"))?.focus();
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        dialog.querySelector("a.close")?.click();
      });
      dialog.addEventListener("pointerdown", (event) => {
        const { left, right, top, bottom } = dialog.getBoundingClientRect();
        const isInside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
        if (event.target === dialog && !isInside) dialog.querySelector("a.close")?.click();
      });
    }
  }

  // Parts that change by themselves: asked for again while the page is seen and nobody is using the part.
  async function refresh(part) {
    // One that is not answered is given up, and meanwhile there is no second one.
    if (part.dataset.asked) return;
    part.dataset.asked = "true";
    const asked = { headers: { "hx-request-type": "partial" }, signal: AbortSignal.timeout(10000) };
    const answer = await fetch(part.dataset.refresh, asked).catch(() => null);
    delete part.dataset.asked;
    if (!part.isConnected) return;
    if (answer?.status === 401) return location.assign(answer.headers.get("hx-redirect") ?? location.href);
    if (!answer?.ok) return tellStale(part);
    const text = await answer.text();
    if (!part.isConnected) return;
    const id = part.id;
    part.outerHTML = text;
    const fresh = document.getElementById(id);
    if (!fresh) return;
    ready(fresh.parentElement);
    window.htmx?.process(fresh);
  }
  function tellStale(part) {
    if (part.querySelector(".notice.stale")) return;
    const notice = document.createElement("div");
    notice.className = "notice warn stale";
    notice.role = "status";
    notice.textContent = "This may be out of date: Fanfare cannot be reached now. The page goes on by itself when it can.";
    part.prepend(notice);
  }
  setInterval(() => {
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-refresh][data-every]")) {
      const waited = Number(part.dataset.waited ?? 0) + 1;
      part.dataset.waited = String(waited);
      const isUsed = part.querySelector(":focus, :popover-open");
      if (waited < Number(part.dataset.every) || isUsed) continue;
      part.dataset.waited = "0";
      refresh(part);
    }
  }, 1000);

  // Progress: the server sends HTML of ours, and the part's address is asked only while the page is seen.
  let streams = [];
  function closeStreams() {
    for (const stream of streams) stream.close();
    streams = [];
  }
  function follow(root) {
    for (const element of root.querySelectorAll("[data-live]")) {
      if (element.dataset.followed) continue;
      element.dataset.followed = "true";
      const stream = new EventSource(element.dataset.live);
      streams.push(stream);
      stream.addEventListener("progress", (event) => {
        if (!element.isConnected) return stream.close();
        element.innerHTML = event.data;
        localize(element);
        const badge = element.querySelector(".badge");
        if (badge) document.querySelector(".head .badge")?.replaceWith(badge.cloneNode(true));
      });
      stream.addEventListener("done", () => {
        stream.close();
        const part = element.closest("[data-refresh]");
        if (part) refresh(part);
      });
    }
  }
  document.addEventListener("visibilitychange", () => {
    closeStreams();
    if (document.hidden) return;
    for (const element of document.querySelectorAll("[data-followed]")) delete element.dataset.followed;
    follow(document);
  });

  // How high the bar at the bottom of a form is, by which the style keeps what has the focus in view.
  const measure = new ResizeObserver((bars) => {
    for (const bar of bars) {
      const height = bar.target.getBoundingClientRect().height;
      document.documentElement.style.setProperty("--choose-height", `${Math.ceil(height)}px`);
    }
  });
  function measureBars() {
    measure.disconnect();
    for (const bar of document.querySelectorAll(".choose")) measure.observe(bar);
  }

  // How many boxes of a form are ticked, those of other pages too.
  function countTicks(root) {
    for (const output of root.querySelectorAll("output[data-ticks]")) {
      const names = output.dataset.ticks.split(" ");
      const ticked = [...output.closest("form").elements].filter(
        (field) => names.includes(field.name) && (field.checked || field.type === "hidden"),
      );
      output.hidden = ticked.length === 0;
      output.textContent = `${numbers.format(ticked.length)} selected`;
    }
  }
  // By what one session of this browser is told from another.
  const sessionMark = () => document.querySelector("[data-session]")?.dataset.session;
  // What is ticked stays ticked when somebody looks at another page and comes back, until it is sent or the session ends.
  // Each form keeps its own.
  const ticksOf = (form) => `ticks ${new URL(form.action).pathname}`;
  function keepTicks(form) {
    const names = form.querySelector("output[data-ticks]").dataset.ticks.split(" ");
    const ticked = [...form.elements]
      .filter((field) => names.includes(field.name) && (field.checked || field.type === "hidden"))
      .map((field) => [field.name, field.value]);
    sessionStorage.setItem(ticksOf(form), JSON.stringify({ session: sessionMark(), ticked }));
  }
  function restoreTicks(root) {
    for (const output of root.querySelectorAll("output[data-ticks]")) {
      const form = output.closest("form");
      // What was swapped has none of them.
      const part = form.querySelector("[data-ticked]");
      if (!part || part.dataset.restored) continue;
      part.dataset.restored = "true";
      const kept = JSON.parse(sessionStorage.getItem(ticksOf(form)) ?? "null");
      if (kept?.session !== sessionMark()) continue;
      for (const [name, value] of kept.ticked) {
        const fields = [...form.elements].filter((field) => field.name === name && field.value === value);
        if (fields.length === 0) {
          const hidden = document.createElement("input");
          Object.assign(hidden, { type: "hidden", name, value });
          part.append(hidden);
        }
        for (const field of fields) if (field.type === "checkbox") field.checked = true;
      }
    }
  }
  // An interval is of Continuous Sync alone: for a one-time import its field is out of use.
  function enableIntervals(root) {
    for (const choice of root.querySelectorAll("fieldset[data-interval]")) {
      const isContinuous = choice.querySelector("input[value=CONTINUOUS]").checked;
      for (const field of choice.querySelectorAll("select")) field.disabled = !isContinuous;
    }
  }
  document.addEventListener("change", (event) => {
    enableIntervals(document);
    countTicks(document);
    const form = event.target.closest("form");
    if (form?.querySelector("output[data-ticks]")) keepTicks(form);
  });

  // One click does one thing. While a form is on its way, further clicks are ignored; and for a moment after a page was
  // swapped, so is the second half of a double click, under which another button has come to lie.
  const LONGEST_WAIT = 15000;
  const DOUBLE_CLICK = 700;
  const NEAR = 40;
  let sent = null;
  let pressed = null;
  let settled = 0;
  const isSending = () => sent !== null && performance.now() < sent.until;
  function refuse(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  function isSecondHalf(event, control) {
    const isByPointer = event.detail > 0;
    if (!pressed || !isByPointer || performance.now() > settled) return false;
    if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > NEAR) return false;
    // Whoever turns pages quickly presses the same link, which does the same.
    return control.tagName !== "A" || control.innerText !== pressed.text;
  }
  document.addEventListener(
    "click",
    (event) => {
      const control = event.target.closest?.("button, a[href], summary");
      if (!control || !event.isTrusted) return;
      if (isSending() || isSecondHalf(event, control)) return refuse(event);
      pressed = { x: event.clientX, y: event.clientY, text: control.innerText };
    },
    true,
  );
  document.addEventListener(
    "submit",
    (event) => {
      if (event.target.method !== "post") return;
      if (isSending()) return refuse(event);
      if (event.target.querySelector("output[data-ticks]") && !event.submitter?.name) sessionStorage.removeItem(ticksOf(event.target));
      const busy = event.target.dataset.busy;
      if (busy && event.submitter) {
        event.submitter.dataset.name = event.submitter.textContent;
        event.submitter.textContent = busy;
      }
      sent = { until: performance.now() + LONGEST_WAIT, path: location.pathname, top: scrollY };
    },
    true,
  );
  window.addEventListener("pageshow", () => (sent = null));
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.detail?.ctx?.request?.method?.toUpperCase() !== "GET") sent = null;
    for (const button of document.querySelectorAll("[data-busy] button[data-name]")) button.textContent = button.dataset.name;
  });

  // What was saved is told where it was saved: the page keeps its place, and the message comes to it.
  function keepPlace() {
    const isSaved = sent?.path === location.pathname && new URLSearchParams(location.search).has("notice");
    if (!isSaved || sent.top === 0) return;
    document.querySelector("main .notice[role=status]")?.classList.add("pinned");
    scrollTo({ top: sent.top, behavior: "instant" });
  }

  // A field whose text is taken elsewhere has a button that copies it.
  function offerCopies(root) {
    for (const field of root.querySelectorAll("input[data-copy]")) {
      if (field.parentElement.classList.contains("copied")) continue;
      const frame = document.createElement("div");
      frame.className = "copied";
      field.replaceWith(frame);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet small";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        field.select();
        // Where the page is not reached by https there is no clipboard but this older one.
        const isCopied = navigator.clipboard
          ? await navigator.clipboard.writeText(field.value).then(() => true, () => document.execCommand("copy"))
          : document.execCommand("copy");
        button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
      });
      frame.append(field, button);
    }
  }

  function ready(root) {
    localize(root);
    localizeFields(root);
    openSheets(root);
    follow(root);
    offerCopies(root);
    measureBars();
    restoreTicks(document);
    countTicks(document);
    enableIntervals(document);
  }
  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:before:swap", (event) => {
    if ((event.detail?.ctx?.target ?? event.target) === document.body) closeStreams();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    ready(document);
    if (event.detail?.ctx?.target?.tagName !== "BODY") return;
    keepPlace();
    sent = null;
    settled = performance.now() + DOUBLE_CLICK;
  });
})();
