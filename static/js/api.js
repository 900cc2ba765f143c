// Swagger UI is dark by a class: it follows the reader's choice, or the system's.
const html = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  const theme = html.dataset.theme || (system.matches ? "dark" : "light");
  html.classList.toggle("dark-mode", theme === "dark");
};
system.addEventListener("change", follow);
follow();
