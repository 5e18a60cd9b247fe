"use strict";
(() => {
  const every = 1000 * document.getElementById("beat").dataset.every;
  const lost = document.getElementById("lost"), pause = document.getElementById("pause");
  let heard = new Date(), paused = false;

  // Nothing of what is shown may pass for the present.
  const doubt = (text) => {
    const state = document.getElementById("state");
    if (!lost.hidden) return;
    lost.textContent = text;
    lost.hidden = false;
    state.className = "state red";
    state.textContent = "\u2717 This is an old page";
    document.getElementById("main").className = "old";
    document.title = `\u2717 Old page, ${document.title.replace(/^\S+ /, "")}`;
  };

  const lasting = (seconds) => {
    const [size, unit] = [[86400, "days"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => seconds >= 2 * size || size === 1);
    return `${Math.floor(seconds / size)} ${unit}`;
  };

  const show = (fresh) => {
    if (!fresh.querySelector("#main[data-live]")) throw new Error("not this page");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now) continue;
      old.className = now.className;
      if (now.innerHTML === old.innerHTML) continue;
      const focus = old.contains(document.activeElement) && document.activeElement.getAttribute("aria-labelledby");
      old.innerHTML = now.innerHTML;
      if (focus) old.querySelector(`[tabindex][aria-labelledby="${focus}"]`)?.focus({preventScroll: true});
    }
    document.title = fresh.title;
    heard = new Date();
    lost.hidden = true;
  };

  const again = async () => {
    if (paused || document.getSelection().type === "Range") return;
    if (location.protocol === "file:") return location.reload();
    try {
      const answer = await fetch(location.href, {cache: "no-store", signal: AbortSignal.timeout(every)});
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      doubt(`The server of this page has not answered since ${heard.toLocaleTimeString()}. The cluster may be otherwise by now.`);
    }
  };

  const tell = () => {
    const age = document.getElementById("age"), made = document.querySelector("time");
    if (!age) return;
    const since = (Date.now() - heard) / 1000;
    const seconds = age.dataset.age ? Number(age.dataset.age) + since : (Date.now() - Date.parse(made.dateTime)) / 1000;
    age.textContent = `${lasting(seconds)} ago, `;
    if ((age.dataset.age ? since : seconds) > 120) doubt("It was not made anew for more than two minutes. The cluster may be otherwise by now.");
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    again();
  });
  tell();
  setInterval(tell, 1000);
  setInterval(again, every);
})();
