// What `make drawn-faces` promises: the same files for the same seed, and nothing lost
// or left half when it is interrupted.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { draw } from "./faces.js";

const program = fileURLToPath(new URL("faces.js", import.meta.url));
const tmp = mkdtempSync(join(tmpdir(), "mppm-drawn-"));
after(() => rmSync(tmp, { recursive: true, force: true }));

const run = (...args) => spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
const pictures = (dir) => readdirSync(dir).filter((name) => name.endsWith(".png"));

// contents returns what a folder holds, by name.
function contents(dir) {
	return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), "base64")]));
}

test("the same seed draws the same files, however often it is begun", () => {
	const [whole, pieces, other] = ["whole", "pieces", "other"].map((name) => join(tmp, name));
	for (const args of [[whole, "--n", "12"], [pieces, "--n", "5"], [pieces, "--n", "12"], [other, "--n", "12", "--seed", "2"]]) {
		const r = run("--out", ...args);
		assert.equal(r.status, 0, r.stderr);
	}
	assert.equal(pictures(whole).length, 12);
	assert.deepEqual(contents(pieces), contents(whole));
	const faces = new Set(pictures(whole).map((name) => contents(whole)[name]));
	assert.equal(faces.size, 12, "two faces are one");
	for (const name of pictures(whole)) assert.notEqual(contents(other)[name], contents(whole)[name], `${name}: the seed changes nothing`);
});

test("a face depends on nothing that was drawn before it, and leaves chance alone", () => {
	const one = draw(1, 32, 7);
	draw(2, 32, 0);
	assert.deepEqual(draw(1, 32, 7), one);
	assert.notDeepEqual(draw(1 + 2 ** 32, 32, 7), one, "half of the seed counts for nothing");
	const random = Math.random;
	draw(1, 32, 8);
	assert.equal(Math.random, random);
	assert.deepEqual([one.readUInt32BE(16), one.readUInt32BE(20)], [32, 32]);
});

test("what is killed goes on, and leaves no half files", async () => {
	const dir = join(tmp, "killed");
	const child = spawn(process.execPath, [program, "--out", dir, "--n", "400", "--quiet"]);
	const ended = new Promise((done) => child.on("exit", done));
	while (child.exitCode === null && !(existsSync(dir) && pictures(dir).length > 3)) await new Promise((done) => setTimeout(done, 5));
	child.kill("SIGKILL");
	await ended;
	const drawn = pictures(dir).length;
	assert.ok(drawn > 3 && drawn < 400, `${drawn} faces when it was killed`);
	// What a kill in the middle of a file leaves.
	writeFileSync(join(dir, ".00399.png.0123abcd.tmp"), "half");
	const n = String(drawn + 2);
	const r = run("--out", dir, "--n", n);
	assert.equal(r.status, 0, r.stderr);
	assert.match(r.stdout, /^[12] faces drawn/); // one may have been written as it was killed
	const whole = join(tmp, "not-killed");
	assert.equal(run("--out", whole, "--n", n, "--quiet").status, 0);
	assert.deepEqual(contents(dir), contents(whole));
});

test("a folder of others is left alone", () => {
	const dir = mkdtempSync(join(tmp, "other-"));
	copyFileSync(program, join(dir, "mine.js"));
	let r = run("--out", dir, "--n", "1");
	assert.equal(r.status, 1);
	assert.match(r.stderr, /mine\.js/);
	assert.deepEqual(readdirSync(dir), ["mine.js"]);
	const faces = join(tmp, "faces");
	assert.equal(run("--out", faces, "--n", "1", "--quiet").status, 0);
	r = run("--out", faces, "--n", "2", "--seed", "9");
	assert.equal(r.status, 1);
	assert.match(r.stderr, /seed 1, side 128, not seed 9/);
	assert.deepEqual(pictures(faces), ["00000.png"]);
});

test("a command line that makes no sense is an error", () => {
	for (const args of [[], ["--out", ""], ["--out", tmp, "--n", "0"], ["--out", tmp, "--n", "1e3"], ["--out", tmp, "--side", "7"], ["--out", tmp, "--seed", "-1"], ["--out", tmp, "--colour"], [tmp]]) {
		const r = run(...args);
		assert.equal(r.status, 2, `${args}: ${r.stdout}${r.stderr}`);
		assert.match(r.stderr, /^error: /);
	}
});
