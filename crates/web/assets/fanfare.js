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
      element.title = times.format(new Date(element.dateTime));
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
  document.addEventListener("change", () => countTicks(document));

  // A form that was sent is not sent again by a second click. Buttons that only show another page are not meant.
  document.addEventListener("submit", (event) => {
    if (event.target.method === "get" || event.submitter?.name) return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "true";
    setTimeout(() => delete event.target.dataset.sent, 3000);
  });

  function ready(root) {
    localize(root);
    openSheets(root);
    follow(root);
    countTicks(document);
  }
  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:before:swap", (event) => {
    if ((event.detail?.ctx?.target ?? event.target) === document.body) closeStreams();
  });
  document.addEventListener("htmx:after:swap", () => ready(document));
})();
