// Sets the theme before the first paint: the system's, or the chosen one. Not a module, which would load later.

(() => {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("theme") ?? "";
  } catch {
    /* storage is not allowed: use the theme of the system */
  }

  function change() {
    const isDark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      /* kept for this visit only */
    }
  }

  document.addEventListener("DOMContentLoaded", () => document.getElementById("theme").addEventListener("click", change));
})();
