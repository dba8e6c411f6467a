// Python in a worker of the browser: matcalc and what it needs, from this folder and from nowhere else.

import { loadPyodide } from "./pyodide/pyodide.mjs";

async function bytes(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function started() {
  const settings = fetch(new URL("site.json", import.meta.url)).then((response) => response.json());
  const [python, { numpy }, libraries, matcalc] = await Promise.all([
    loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href }),
    settings,
    bytes("libraries.zip"),
    bytes("matcalc.zip"),
  ]);
  if (numpy) await python.loadPackage("numpy", { messageCallback: () => {} });
  python.FS.writeFile("/lib/libraries.zip", libraries);
  python.unpackArchive(matcalc, "zip", { extractDir: "/lib/matcalc" });
  const answer = python.runPython(`
import gc, sys
gc.disable()
sys.path += ["/lib/matcalc", "/lib/libraries.zip"]
from matcalc.serve import absent
absent.stand_in()
from matcalc.serve.browser import started, warm
started()`);
  warm = python.globals.get("warm");
  return answer;
}

let warm = null; // what is done once when nothing is asked for a moment
let pause = 0;
const answering = started();

onmessage = async ({ data: { number, tool, given } }) => {
  clearTimeout(pause);
  let answer;
  try {
    answer = JSON.parse((await answering)(tool, given));
  } catch (error) {
    answer = { status: "error", text: `Python could not be started here: ${error.message}`, data: { type: "Error", line: 0, column: 0 } };
  }
  postMessage({ number, answer });
  pause = setTimeout(() => { warm?.(); warm = null; }, 300);
};
