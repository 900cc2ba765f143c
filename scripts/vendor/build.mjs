// Rebuild static/vendor from npm:  node scripts/vendor/build.mjs
//
// Packages are installed into a temporary folder with the versions of package-lock.json. What
// comes out is committed, and vendor.json says what each file is, under which licence and with
// which SHA-256. A test compares the files with it.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "..", "static", "vendor");
const work = mkdtempSync(join(tmpdir(), "etalon-vendor-"));

// Our content security policy forbids style elements.
const PATCHES = [
  {
    file: /style-mod[\\/]src[\\/]style-mod\.js$/,
    from: "if (!root.head && root.adoptedStyleSheets && win.CSSStyleSheet)",
    to: "if (root.adoptedStyleSheets && win.CSSStyleSheet)",
    why: "style-mod uses constructed style sheets in documents too, not only in shadow roots",
  },
];

const BUNDLES = [
  {
    out: "codemirror.js",
    packages: [
      "@codemirror/autocomplete",
      "@codemirror/commands",
      "@codemirror/language",
      "@codemirror/lint",
      "@codemirror/state",
      "@codemirror/view",
      "@lezer/highlight",
    ],
  },
];

const COPIES = [
  { out: "htmx.js", packages: ["htmx.org"], from: "htmx.org/dist/htmx.min.js" },
  { out: "idiomorph.js", packages: ["idiomorph"], from: "idiomorph/dist/idiomorph-ext.min.js" },
  {
    out: "inter-latin.woff2",
    packages: ["@fontsource-variable/inter"],
    from: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  },
  {
    out: "inter-latin-ext.woff2",
    packages: ["@fontsource-variable/inter"],
    from: "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
  },
  {
    out: "jetbrains-mono-latin.woff2",
    packages: ["@fontsource-variable/jetbrains-mono"],
    from: "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  },
];

function install() {
  for (const name of ["package.json", "package-lock.json"]) cpSync(join(here, name), join(work, name));
  cpSync(join(here, "entries"), join(work, "entries"), { recursive: true });
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: work,
    stdio: "inherit",
  });
}

function patched() {
  return {
    name: "patched",
    setup(build) {
      for (const patch of PATCHES) {
        build.onLoad({ filter: patch.file }, ({ path }) => {
          const text = readFileSync(path, "utf8");
          if (text.split(patch.from).length !== 2) {
            throw new Error(`${path}: the place to patch was not found once. ${patch.why}`);
          }
          return { contents: text.replace(patch.from, patch.to), loader: "js" };
        });
      }
    },
  };
}

function about(name) {
  const { version, license } = JSON.parse(
    readFileSync(join(work, "node_modules", name, "package.json"), "utf8"),
  );
  return { name, version, licence: license };
}

function entry(out, packages) {
  const bytes = readFileSync(join(target, out));
  return {
    file: out,
    packages: packages.map(about),
    bytes: bytes.length,
    gzip_bytes: gzipSync(bytes, { level: 9 }).length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

try {
  install();
  mkdirSync(target, { recursive: true });
  const { build } = createRequire(join(work, "package.json"))("esbuild");
  for (const { out } of BUNDLES) {
    await build({
      absWorkingDir: work,
      bundle: true,
      define: { "process.env.NODE_ENV": '"production"' },
      entryPoints: [join("entries", out)],
      format: "esm",
      legalComments: "eof",
      minify: true,
      outfile: join(target, out),
      plugins: [patched()],
      target: "es2022",
    });
  }
  for (const { out, from } of COPIES) cpSync(join(work, "node_modules", from), join(target, out));
  const manifest = {
    built_by: "scripts/vendor/build.mjs",
    patches: PATCHES.map(({ why }) => why),
    files: [...BUNDLES, ...COPIES].map(({ out, packages }) => entry(out, packages)),
  };
  writeFileSync(join(target, "vendor.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { file, gzip_bytes } of manifest.files) console.log(file, gzip_bytes, "bytes gzipped");
} finally {
  rmSync(work, { recursive: true, force: true });
}
