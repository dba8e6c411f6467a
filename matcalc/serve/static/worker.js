// Python in a worker of the browser: matcalc and what it needs, from this folder and from nowhere else.

import { loadPyodide } from "./pyodide/pyodide.mjs";
import createModule from "./pyodide/pyodide.asm.mjs";
import { place, START } from "./python.js";

const indexURL = new URL("./pyodide/", import.meta.url).href;

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

async function bytes(name) {
  return new Uint8Array(await (await fetched(name)).arrayBuffer());
}

async function unpacked(name) {
  const stream = (await fetched(name)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Python as it was when the image was made, with everything imported. */
async function remembered(image) {
  async function createPyodideModule(settings) {
    const module = await createModule(settings);
    module._malloc(image.length); // the memory grows; what is in it comes from the image
    return module;
  }
  return loadPyodide({ indexURL, createPyodideModule, _loadSnapshot: image });
}

/** A Python that has imported nothing. */
async function fresh(numpy) {
  const python = await loadPyodide({ indexURL });
  if (numpy) await python.loadPackage("numpy", { messageCallback: () => {} });
  return python;
}

async function started() {
  const files = [bytes("libraries.zip"), unpacked("matcalc.pack")];
  const { numpy, image } = await (await fetched("site.json")).json();
  let python = null;
  if (image) python = await unpacked("memory.image").then(remembered).catch(() => null);
  const known = python !== null;
  python ??= await fresh(numpy);
  place(python.FS, ...(await Promise.all(files)));
  if (!known) {
    python.runPython(START);
    warm = python.globals.get("warm");
  }
  return python.globals.get("answer");
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
