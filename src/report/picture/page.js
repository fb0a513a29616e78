"use strict";
for (const section of document.querySelectorAll(".report")) {
  const data = JSON.parse(section.querySelector("script").textContent);
  const sheet = section.querySelector(".sheet");
  const svg = section.querySelector("svg");
  const reading = section.querySelector(".reading");
  const audio = section.querySelector("audio");
  const now = section.querySelector(".now");
  const cursor = section.querySelector(".cursor");
  const pointer = section.querySelector(".pointer");
  const box = svg.viewBox.baseVal;
  const top = data.lanes.length ? data.lanes[0].top : 0;
  const bottom = Number(svg.dataset.bottom);

  const clock = (s) => {
    const ms = Math.max(0, Math.round(s * 1000));
    const hours = Math.floor(ms / 3600000);
    const minutes = Math.floor(ms / 60000) % 60;
    const rest = two(Math.floor(ms / 1000) % 60) + "." + String(ms % 1000).padStart(3, "0");
    return (hours ? hours + ":" + two(minutes) : minutes) + ":" + rest;
  };
  const two = (n) => String(n).padStart(2, "0");
  const label = (s) => {
    const tc = data.timecode;
    if (!tc) return clock(s);
    const fps = Math.round(tc.numerator / tc.denominator);
    let n = tc.number + Math.floor(s * tc.numerator / tc.denominator + 1e-6);
    if (tc.drop) {
      const left = fps / 15;
      const ten = 600 * fps - 9 * left;
      const rest = n % ten;
      const minutes = rest >= left ? Math.floor((rest - left) / (60 * fps - left)) : 0;
      n += left * (9 * Math.floor(n / ten) + minutes);
    }
    const seconds = Math.floor(n / fps);
    const hms = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
    return hms + (tc.drop ? ";" : ":") + two(n % fps);
  };
  const toX = (s) => data.left + (data.right - data.left) * Math.min(1, Math.max(0, (s - data.start_s) / (data.length_s || 1)));
  const place = (event) => {
    const at = svg.getBoundingClientRect();
    const x = (event.clientX - at.left) * box.width / at.width;
    const y = (event.clientY - at.top) * box.height / at.height;
    const part = (x - data.left) / (data.right - data.left);
    return { x, y, part, inside: part >= 0 && part <= 1 && y >= top && y <= bottom };
  };
  const line = (path, x) => path.setAttribute("d", x === null ? "" : `M${x} ${top}V${bottom}`);
  const at = (values, part) => values[Math.min(values.length - 1, Math.floor(part * values.length))];
  const level = (value, unit) => (value === null || value === undefined ? "\u2013" : value.toFixed(1).replace("-", "\u2212") + " " + unit);

  const read = (p) => {
    const s = data.start_s + p.part * data.length_s;
    const lines = [];
    for (const [name, start, end] of data.cues) if (s >= start && s < end) lines.push("cue " + name);
    const near = 4 * data.length_s / (data.right - data.left);
    for (const [name, when] of data.markers) if (Math.abs(s - when) <= near) lines.push("marker " + name);
    const lane = data.lanes.find((l) => p.y >= l.top && p.y < l.bottom);
    if (lane) {
      const tenths = at(lane.peaks_ddb, p.part);
      lines.push(lane.name + "  " + level(tenths === null || tenths === undefined ? null : tenths / 10, "dBFS"));
    }
    if (data.momentary_lufs.length) {
      lines.push("momentary  " + level(at(data.momentary_lufs, p.part), "LUFS"));
      lines.push("short-term  " + level(at(data.short_term_lufs, p.part), "LUFS"));
      lines.push("integrated so far  " + level(at(data.integrated_lufs, p.part), "LUFS"));
    }
    reading.textContent = "";
    const time = document.createElement("b");
    time.textContent = data.timecode ? label(s) + "   " + clock(s) : clock(s);
    reading.append(time, lines.length ? "\n" + lines.join("\n") : "");
  };

  svg.addEventListener("pointermove", (event) => {
    const p = place(event);
    reading.hidden = !p.inside;
    line(pointer, p.inside ? p.x : null);
    if (!p.inside) return;
    read(p);
    const room = sheet.getBoundingClientRect();
    const left = event.clientX - room.left;
    const width = reading.offsetWidth;
    reading.style.left = (left + 16 + width > room.width ? left - 16 - width : left + 16) + "px";
    reading.style.top = event.clientY - room.top + 14 + "px";
  });
  svg.addEventListener("pointerleave", () => { reading.hidden = true; line(pointer, null); });

  if (!audio) continue;
  section.classList.add("playable");
  const show = () => {
    const s = data.start_s + audio.currentTime;
    line(cursor, toX(s));
    now.textContent = label(s);
  };
  const jump = (s) => {
    audio.currentTime = Math.max(0, s - data.start_s);
    show();
  };
  const follow = () => { show(); if (!audio.paused) requestAnimationFrame(follow); };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    follow();
  });
  audio.addEventListener("seeked", show);
  audio.addEventListener("timeupdate", show);
  audio.addEventListener("error", () => { section.querySelector(".lost").hidden = false; });
  const over = (event) => event.target.closest ? event.target.closest(".over-mark") : null;
  svg.addEventListener("click", (event) => {
    const mark = over(event);
    const p = place(event);
    if (mark) jump(Number(mark.dataset.at));
    else if (p.inside) jump(data.start_s + p.part * data.length_s);
  });
  svg.addEventListener("keydown", (event) => {
    const mark = over(event);
    if (mark && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      jump(Number(mark.dataset.at));
    }
  });
  document.addEventListener("keydown", (event) => {
    // With several players the target of the key is ambiguous.
    if (event.target !== document.body || document.querySelectorAll("audio").length > 1) return;
    if (event.key === " ") { event.preventDefault(); if (audio.paused) audio.play(); else audio.pause(); }
    if (event.key === "ArrowLeft") jump(data.start_s + audio.currentTime - 5);
    if (event.key === "ArrowRight") jump(data.start_s + audio.currentTime + 5);
  });
  now.textContent = label(data.start_s);
}
