// The map: draws the boxes that the server packed. It decides no positions; it zooms, moves, selects and says what is selected.
"use strict";
(() => {
  const holder = document.getElementById("map");
  const canvas = document.getElementById("canvas");
  const told = document.getElementById("told");
  const pen = canvas.getContext("2d");
  const TILE = 14, SIZE = 10, PART = 600, EVERY = 15000;
  let map = null, items = [], at = -1, lines = false, scale = 1, left = 0, top = 0, round = 0, fresh = null;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let colors = {};
  const recolor = () => {
    colors = Object.fromEntries(["back", "raised", "text", "soft", "edge", "sick", "sick-back", "well", "stub", "focus"].map((name) => [name, style(`--${name}`)]));
  };

  const size = () => {
    const ratio = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    return ratio;
  };
  const fit = () => {
    const box = canvas.getBoundingClientRect();
    scale = Math.min(box.width / map.size.width, box.height / map.size.height, 2.5);
    left = (box.width - map.size.width * scale) / 2;
    top = Math.max(0, (box.height - map.size.height * scale) / 2);
  };

  const drawBox = (one) => {
    const bad = one.sick > 0;
    pen.fillStyle = one.depth % 2 ? colors.back : colors.raised;
    pen.strokeStyle = one.state && one.state !== "stub" ? colors.sick : bad && one.folded ? colors.sick : colors.edge;
    pen.lineWidth = (bad ? 2 : 1) / Math.min(scale, 1.5);
    pen.fillRect(one.x, one.y, one.width, one.height);
    pen.strokeRect(one.x, one.y, one.width, one.height);
    if (scale > 0.45 || one.depth === 1) {
      const text = one.title + (one.folded ? `  ${one.number} objects${one.sick ? `, ${one.sick} ailing` : ""}` : bad ? `  ${one.sick} ailing` : "");
      pen.fillStyle = bad ? colors.sick : colors.text;
      pen.font = `${one.depth === 1 ? 600 : 400} ${one.depth === 1 ? 12 : 10}px system-ui, sans-serif`;
      pen.fillText(text, one.x + 6, one.y + 13, one.width - 10);
    }
  };
  const drawTile = (one) => {
    const stub = one.state === "stub";
    pen.fillStyle = stub ? colors.back : one.state ? colors.sick : colors.well;
    pen.strokeStyle = stub ? colors.stub : pen.fillStyle;
    pen.lineWidth = 1;
    if (one.state && !stub) {
      // A shape of its own: colour alone says nothing to everybody.
      pen.beginPath();
      pen.moveTo(one.x + SIZE / 2, one.y);
      pen.lineTo(one.x + SIZE, one.y + SIZE);
      pen.lineTo(one.x, one.y + SIZE);
      pen.closePath();
      pen.fill();
    } else {
      pen.fillRect(one.x, one.y, SIZE, SIZE);
      pen.strokeRect(one.x + 0.5, one.y + 0.5, SIZE - 1, SIZE - 1);
    }
  };
  const center = (one) => (one.width ? [one.x + Math.min(one.width, 60) / 2, one.y + 8] : [one.x + SIZE / 2, one.y + SIZE / 2]);
  const drawLines = (wanted) => {
    pen.lineWidth = 1 / scale;
    pen.beginPath();
    for (const [a, , b] of wanted) {
      pen.moveTo(...center(map.ends[a]));
      pen.lineTo(...center(map.ends[b]));
    }
    pen.stroke();
  };

  // In parts, so that no part keeps the page from answering a key.
  const draw = () => {
    const mine = ++round, ratio = size();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * left, ratio * top);
    const jobs = [];
    for (let from = 0; from < map.boxes.length; from += PART) jobs.push(() => map.boxes.slice(from, from + PART).forEach(drawBox));
    for (let from = 0; from < map.objects.length; from += PART) jobs.push(() => map.objects.slice(from, from + PART).forEach(drawTile));
    if (lines) {
      for (let from = 0; from < map.relationships.length; from += PART) {
        jobs.push(() => {
          pen.strokeStyle = colors.soft;
          drawLines(map.relationships.slice(from, from + PART));
        });
      }
    }
    jobs.push(() => drawSelected());
    const step = () => {
      if (mine !== round) return;
      const until = performance.now() + 12;
      while (jobs.length && performance.now() < until) jobs.shift()();
      if (jobs.length) requestAnimationFrame(step);
      else canvas.dataset.drawn = String(map.objects.length + map.boxes.length);
    };
    step();
  };
  const drawSelected = () => {
    const one = items[at];
    if (!one) return;
    pen.strokeStyle = colors.focus;
    if (one.number !== undefined && one.end !== undefined) drawLines(map.relationships.filter(([a, , b]) => a === one.end || b === one.end));
    else if (one.end !== undefined) drawLines(map.relationships.filter(([a, , b]) => a === one.end || b === one.end));
    pen.lineWidth = 3 / scale;
    const grow = 2 / scale;
    pen.strokeRect(one.x - grow, one.y - grow, (one.width || SIZE) + 2 * grow, (one.height || SIZE) + 2 * grow);
  };

  const says = (one) => {
    const state = one.state === "stub" ? ", only referred to" : one.state ? `, ${one.state}` : "";
    if (one.width === undefined) return `${one.kind}/${one.name}${one.ns ? ` in ${one.ns}` : ""}${state}`;
    return `${one.label || one.title}${state}: ${one.number} objects, ${one.sick} ailing${one.folded ? `, ${one.folded} folded` : ""}`;
  };
  const select = (number, move = true) => {
    if (!items.length) return;
    at = Math.max(0, Math.min(items.length - 1, number));
    const one = items[at], related = one.end === undefined ? 0 : map.relationships.filter(([a, , b]) => a === one.end || b === one.end).length;
    told.textContent = `${says(one)}${related ? `; ${related} relationships` : ""}. ${at + 1} of ${items.length}.`;
    if (one.rid) {
      const address = new URL(location.href);
      address.searchParams.set("at", one.rid);
      history.replaceState(null, "", address);
    }
    if (move) show(one);
    draw();
  };
  const show = (one) => {
    const box = canvas.getBoundingClientRect(), x = one.x * scale + left, y = one.y * scale + top;
    if (x < 20 || x > box.width - 40) left += box.width / 2 - x;
    if (y < 20 || y > box.height - 40) top += box.height / 2 - y;
  };
  const near = (dx, dy) => {
    const one = items[Math.max(at, 0)], [x, y] = center(one);
    let best = -1, least = Infinity;
    items.forEach((other, number) => {
      const [ox, oy] = center(other), along = (ox - x) * dx + (oy - y) * dy, across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (other !== one && along > 1 && along + across * 3 < least) [best, least] = [number, along + across * 3];
    });
    return best;
  };
  const open = (one) => {
    if (one?.rid) location.href = `${holder.dataset.object}?rid=${encodeURIComponent(one.rid)}`;
    else if (one?.folded && one.key.startsWith("ns/")) {
      const address = new URL(location.href);
      address.searchParams.append("open", one.key.slice(3));
      location.href = address;
    }
  };
  const zoom = (by, x, y) => {
    const next = Math.max(0.05, Math.min(8, scale * by));
    left = x - ((x - left) * next) / scale;
    top = y - ((y - top) * next) / scale;
    scale = next;
    draw();
  };

  const keys = {
    ArrowRight: () => select(near(1, 0) < 0 ? at + 1 : near(1, 0)),
    ArrowLeft: () => select(near(-1, 0) < 0 ? at - 1 : near(-1, 0)),
    ArrowDown: () => select(near(0, 1) < 0 ? at : near(0, 1)),
    ArrowUp: () => select(near(0, -1) < 0 ? at : near(0, -1)),
    // In the order of the table: so every one is reached.
    PageDown: () => select(at + 1),
    PageUp: () => select(at - 1),
    Home: () => select(0),
    End: () => select(items.length - 1),
    Enter: () => open(items[at]),
    "+": () => zoom(1.25, canvas.clientWidth / 2, canvas.clientHeight / 2),
    "-": () => zoom(0.8, canvas.clientWidth / 2, canvas.clientHeight / 2),
    0: () => { fit(); draw(); },
    l: () => { lines = !lines; draw(); },
    t: () => { location.href = document.getElementById("table").href; },
    n: () => { if (fresh) { take(fresh); fresh = null; fit(); draw(); } },
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !map) return;
    event.preventDefault();
    act();
  });
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    dragged = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged || !map) return;
    const dx = event.clientX - dragged.x, dy = event.clientY - dragged.y;
    if (!dragged.moved && Math.hypot(dx, dy) < 4) return;
    dragged = { x: event.clientX, y: event.clientY, moved: true };
    left += dx;
    top += dy;
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = dragged;
    dragged = null;
    if (!was || was.moved || !map) return;
    const box = canvas.getBoundingClientRect(), x = (event.clientX - box.left - left) / scale, y = (event.clientY - box.top - top) / scale;
    const hit = (one) => x >= one.x && y >= one.y && x <= one.x + (one.width || TILE) && y <= one.y + (one.height || TILE);
    const found = items.reduce((best, one, number) => (hit(one) && (best < 0 || (one.depth ?? 9) >= (items[best].depth ?? 9)) ? number : best), -1);
    if (found >= 0) select(found, false);
  });
  canvas.addEventListener("dblclick", () => open(items[at]));
  canvas.addEventListener("wheel", (event) => {
    if (!map || !(event.ctrlKey || document.activeElement === canvas)) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.15 : 0.87, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  // The server's numbers of relationships count objects first, then boxes that are objects.
  const take = (found) => {
    map = found;
    const ends = [...map.objects, ...map.boxes.filter((one) => one.rid)];
    ends.forEach((one, number) => { one.end = number; });
    map.ends = ends;
    items = [...map.boxes, ...map.objects];
  };
  const ask = async () => {
    const answer = await fetch(holder.dataset.source, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  // What is shown keeps its place: news waits until it is asked for, and only states change meanwhile.
  const renew = async () => {
    try {
      if (!document.hidden && map) {
        const found = await ask(), states = new Map([...found.objects, ...found.boxes].filter((one) => one.rid).map((one) => [one.rid, one.state]));
        const known = new Set(map.ends.map((one) => one.rid));
        let changed = false, gone = 0;
        for (const one of map.ends) {
          const state = states.has(one.rid) ? states.get(one.rid) : "gone";
          if (state === "gone") gone += 1;
          if (state !== one.state) [one.state, changed] = [state, true];
        }
        const added = [...states.keys()].filter((rid) => !known.has(rid)).length;
        if (added || gone) {
          fresh = found;
          told.textContent = `${added} objects are new and ${gone} are gone since this picture was drawn. Press N to draw it anew.`;
        }
        if (changed) draw();
      }
    } catch {
      // The server is away for a moment.
    }
    setTimeout(renew, EVERY);
  };

  const start = async () => {
    recolor();
    try {
      take(await ask());
    } catch {
      told.textContent = "The map cannot be read at the moment. The table may be.";
      return;
    }
    fit();
    const wanted = items.findIndex((one) => one.rid && one.rid === holder.dataset.at);
    if (wanted >= 0) select(wanted);
    else {
      draw();
      told.textContent = `${map.counts.shown} objects are shown, ${map.counts.folded} folded, ${map.counts.filtered} filtered; ${map.counts.sick} are ailing.`;
    }
    new ResizeObserver(() => draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { recolor(); draw(); });
    setTimeout(renew, EVERY);
  };
  start();
})();
