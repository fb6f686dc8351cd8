// Refreshes the live part of a page by server-sent events. Everything works without it.
(() => {
  "use strict";
  const live = document.getElementById("live");
  const all = document.getElementById("all");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll("input[name=seq]")) box.checked = all.checked;
    });
  }
  if (!live || !window.EventSource) return;

  const bar = document.createElement("p");
  const button = document.createElement("button");
  const said = document.createElement("span");
  bar.className = "livebar";
  button.type = "button";
  said.setAttribute("role", "status");
  bar.append(button, said);
  live.after(bar);

  let source = null, paused = false, quiet = null, failures = 0;

  const say = (text) => { if (said.textContent !== text) said.textContent = text; };

  // What has the focus keeps it: by its id, a link by where it leads to, what scrolls by its place among its kind.
  const remember = () => {
    const at = document.activeElement;
    if (!at || !live.contains(at)) return () => {};
    const id = at.id, href = at.getAttribute("href");
    const alike = () => [...live.querySelectorAll(href ? "a" : "[tabindex]")].filter((one) => one.getAttribute("href") === href);
    const same = alike().indexOf(at);
    return () => {
      const found = id ? document.getElementById(id) : alike()[same];
      if (found) found.focus({ preventScroll: true });
    };
  };

  const show = (html) => {
    const open = [...live.querySelectorAll("details")].map((one) => one.open);
    const scrolled = [...live.querySelectorAll(".wide, pre")].map((one) => one.scrollLeft);
    const focus = remember();
    live.innerHTML = html; // made and escaped by the server; the policy runs no script in it
    live.querySelectorAll("details").forEach((one, i) => { if (open[i]) one.open = true; });
    live.querySelectorAll(".wide, pre").forEach((one, i) => { one.scrollLeft = scrolled[i] || 0; });
    focus();
  };

  const wait = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => say("No news: the process is busy, stopped or restarting."), 6000);
  };

  const open = () => {
    source = new EventSource(live.dataset.stream);
    source.addEventListener("live", (event) => {
      failures = 0;
      const selected = window.getSelection();
      if (!(selected && !selected.isCollapsed && live.contains(selected.anchorNode))) show(event.data);
      say("");
      wait();
    });
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        failures += 1;
        if (failures > 1) say("No live view at the moment; trying again.");
        if (!paused) setTimeout(() => { if (!paused && !source) open(); }, Math.min(10000, 500 * failures));
      }
    };
    wait();
  };

  const close = () => {
    clearTimeout(quiet);
    if (source) source.close();
    source = null;
  };

  const label = () => { button.textContent = paused ? "Resume updates" : "Pause updates"; };

  button.addEventListener("click", () => {
    paused = !paused;
    label();
    if (paused) { close(); say("Updates are paused."); } else { say(""); open(); }
  });
  document.addEventListener("visibilitychange", () => {
    if (paused) return;
    if (document.hidden) close(); else if (!source) open();
  });
  window.addEventListener("pagehide", close);
  label();
  open();
})();
