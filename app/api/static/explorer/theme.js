// Light or dark, before anything is drawn: as the system has it, or as it was chosen here.

const root = document.documentElement;
const chosen = localStorage.getItem("theme");
if (chosen) root.dataset.theme = chosen;

/* exported changeTheme */
function changeTheme() {
  const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

document.addEventListener("DOMContentLoaded", () => document.getElementById("theme").addEventListener("click", changeTheme));
