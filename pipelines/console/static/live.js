// Renews a live page in place: asks for the same address again and exchanges what is in <main>, where it changed.
// What a person works with at that moment (a field, a selection, an open menu) is left alone until they are done.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  const every = Number(main.dataset.live) * 1000;

  const isBusy = () => {
    const at = document.activeElement;
    const selection = document.getSelection();
    return document.hidden || (at && main.contains(at) && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) || (selection && !selection.isCollapsed);
  };

  const pathOf = (element) => {
    const path = [];
    for (let at = element; at && at !== main; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    return path;
  };

  const renew = async () => {
    if (!isBusy()) {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main[data-live]");
        if (answer.ok && page && page.innerHTML !== main.dataset.shown && !isBusy()) exchange(page);
      } catch {
        // The server is away for a moment; the next time tells.
      }
    }
    setTimeout(renew, every);
  };

  const exchange = (page) => {
    const open = [...main.querySelectorAll("details")].map((one) => [one.querySelector("summary")?.textContent.trim().split(/\s/)[0], one.open]);
    const scrolled = [...main.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    const focused = main.contains(document.activeElement) ? pathOf(document.activeElement) : null;
    main.dataset.shown = page.innerHTML;
    main.replaceChildren(...page.childNodes);
    const was = new Map(open);
    for (const one of main.querySelectorAll("details")) {
      const name = one.querySelector("summary")?.textContent.trim().split(/\s/)[0];
      if (was.has(name)) one.open = was.get(name);
    }
    [...main.querySelectorAll(".scroll")].forEach((one, number) => {
      if (scrolled[number]) [one.scrollLeft, one.scrollTop] = scrolled[number];
    });
    if (focused) focused.reduce((at, number) => at?.children[number], main)?.focus({ preventScroll: true });
  };

  main.dataset.shown = main.innerHTML;
  setTimeout(renew, every);
})();
