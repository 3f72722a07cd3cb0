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
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        dialog.querySelector("a.close")?.click();
      });
    }
  }

  // Live parts: the server sends HTML of ours, and the part's address is asked only while the page is seen.
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
        element.innerHTML = event.data;
        localize(element);
      });
      stream.addEventListener("done", () => {
        stream.close();
        window.htmx?.ajax("GET", location.href, { target: "body" });
      });
    }
  }
  document.addEventListener("visibilitychange", () => {
    closeStreams();
    if (document.hidden) return;
    for (const element of document.querySelectorAll("[data-followed]")) delete element.dataset.followed;
    follow(document);
  });

  // One menu is open at a time, and Escape closes it.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details.menu[open]")) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== event.target) menu.open = false;
    }
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A form that was sent is not sent again by a second click.
  document.addEventListener("submit", (event) => {
    if (event.target.method === "get") return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "true";
    setTimeout(() => delete event.target.dataset.sent, 3000);
  });

  function ready(root) {
    localize(root);
    openSheets(root);
    follow(root);
  }
  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:before:swap", (event) => {
    if ((event.detail?.ctx?.target ?? event.target) === document.body) closeStreams();
  });
  document.addEventListener("htmx:after:swap", () => ready(document));
})();
