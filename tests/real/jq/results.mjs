// What the real jq gives: reads a list of [expression, input] from stdin, and writes the results of each as a line, or ERROR.
import { readFileSync } from "node:fs";
import jq from "jq-wasm";

for (const [code, given] of JSON.parse(readFileSync(0, "utf8"))) {
  const ran = await jq.raw(given, `[${code}] | map(tojson) | join(" ")`, ["-r"]);
  console.log(ran.exitCode ? "ERROR" : ran.stdout.replace(/\n$/, ""));
}
