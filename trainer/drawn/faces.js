// Draws faces to train on, each from a number: the parts are those of facesjs, the
// pixels those of resvg. `make drawn-faces` runs it.

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Resvg } from "@resvg/resvg-js";
import { faceToSvgString, generate } from "facesjs";

const usage = `usage: node faces.js --out DIR [--n N] [--seed N] [--side N] [--quiet]

Draws N faces (5500) of SIDE × SIDE pixels (128), 00000.png and so on, into the folder
DIR. Face i depends on the seed (1), the side and i alone. Faces that are there stay:
what was interrupted goes on, and a larger N adds to the end.`;

// What was drawn in a folder, in a file that reads as no picture.
const settingsFile = ".drawn";

// The square of facesjs' 400 × 600 that a face fills: from above the hair to below the
// chin, the eyes (140 and 260, 310) a third of an edge apart.
const square = { x: 5, y: 122, edge: 390 };

// numbers returns a source of numbers in [0, 1), the same for the same words of 32 bits:
// sfc32 (Doty-Humphrey, PractRand), whose first numbers are thrown away to mix them.
function numbers(...words) {
	let [a, b, c] = words.map((w) => w >>> 0), count = 1;
	const next = () => {
		const t = (((a + b) | 0) + count) | 0;
		count = (count + 1) | 0;
		a = b ^ (b >>> 9);
		b = (c + (c << 3)) | 0;
		c = ((c << 21) | (c >>> 11)) + t | 0;
		return (t >>> 0) / 2 ** 32;
	};
	for (let i = 0; i < 20; i++) next();
	return next;
}

// between returns the color that lies at t in [0, 1] between two, #rrggbb as facesjs has
// them.
function between(one, other, t) {
	const channel = (s, k) => parseInt(s.slice(1 + 2 * k, 3 + 2 * k), 16);
	return "#" + [0, 1, 2].map((k) => Math.round(channel(one, k) + t * (channel(other, k) - channel(one, k))).toString(16).padStart(2, "0")).join("");
}

// svg draws face i of a seed. The facesjs of this package's lock file draws all it is
// from Math.random, which is put back.
function svg(seed, i) {
	const random = Math.random;
	Math.random = numbers(seed, Math.floor(seed / 2 ** 32), i);
	try {
		const gender = Math.random() < 0.5 ? "female" : "male";
		// A color between two of people who are alike: a dozen would be few.
		const race = ["white", "black", "brown", "asian"][Math.floor(Math.random() * 4)];
		const face = generate(undefined, { gender, race }), other = generate(undefined, { gender, race });
		face.body.color = between(face.body.color, other.body.color, Math.random());
		face.hair.color = between(face.hair.color, other.hair.color, Math.random() / 2);
		face.jersey.id = face.accessories.id = "none";
		if (face.glasses.id === "facemask") face.glasses.id = "none";
		// Glasses and strands of beards have a team's colors: metal, and the hair's.
		face.teamColors = [between("#20242c", "#7a6a58", Math.random()), face.hair.color, face.hair.color];
		if (["pinocchio", "nose4"].includes(face.nose.id)) face.nose.id = "nose1"; // as if from the side
		const ground = between("#dfe6ea", "#8fa3b0", Math.random());
		const { x, y, edge } = square;
		return faceToSvgString(face)
			.replaceAll("$[skinColor]", face.body.color) // facesjs puts in the first one alone
			.replace('viewBox="0 0 400 600"', `viewBox="${x} ${y} ${edge} ${edge}"`)
			.replace(/(<svg[^>]*>)/, `$1<rect x="${x}" y="${y}" width="${edge}" height="${edge}" fill="${ground}"/>`);
	} finally {
		Math.random = random;
	}
}

// draw returns face i of a seed as the bytes of a PNG.
export function draw(seed, side, i) {
	return new Resvg(svg(seed, i), { fitTo: { mode: "width", value: side }, font: { loadSystemFonts: false } }).render().asPng();
}

// write puts a file there whole, or not at all.
function write(dir, name, bytes) {
	const temporary = join(dir, `.${name}.${randomBytes(4).toString("hex")}.tmp`);
	try {
		const file = openSync(temporary, "wx");
		try {
			for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(temporary, join(dir, name));
	} catch (err) {
		rmSync(temporary, { force: true });
		throw err;
	}
}

// open makes the folder, or finds what is drawn there, and returns the names in it. It
// throws where a folder has other faces, or other things.
function open(dir, settings) {
	mkdirSync(dir, { recursive: true });
	const names = new Set(readdirSync(dir));
	const here = [...names].filter((name) => !name.startsWith("."));
	if (!names.has(settingsFile)) {
		if (here.length > 0) throw new Error(`${dir} holds other things, such as ${here[0]}: give a folder of its own`);
		write(dir, settingsFile, Buffer.from(settings));
		return names;
	}
	const drawn = readFileSync(join(dir, settingsFile), "utf8");
	if (drawn !== settings) throw new Error(`${dir} holds faces of other settings (${drawn.trim()}, not ${settings.trim()}): give another folder, or remove it`);
	for (const name of names) if (/^\..*\.[0-9a-f]{8}\.tmp$/.test(name)) rmSync(join(dir, name)); // of a run that was killed
	return names;
}

function whole(name, text, least, most) {
	const v = Number(text);
	if (!/^[0-9]+$/.test(text) || v < least || v > most) throw new Error(`--${name}: ${text} is no whole number from ${least} to ${most}`);
	return v;
}

// main draws what the command line asks for, and returns the exit code.
export function main(args) {
	let dir, n, seed, side, quiet;
	try {
		const { values } = parseArgs({
			args,
			options: {
				out: { type: "string" }, n: { type: "string", default: "5500" }, seed: { type: "string", default: "1" },
				side: { type: "string", default: "128" }, quiet: { type: "boolean" }, help: { type: "boolean", short: "h" },
			},
		});
		if (values.help) {
			console.log(usage);
			return 0;
		}
		if (!values.out) throw new Error("--out is missing: name the folder that the faces go to");
		dir = values.out;
		n = whole("n", values.n, 1, 100_000);
		seed = whole("seed", values.seed, 0, Number.MAX_SAFE_INTEGER);
		side = whole("side", values.side, 8, 1024);
		quiet = values.quiet;
	} catch (err) {
		console.error(`error: ${err.message}\n${usage}`);
		return 2;
	}
	try {
		const names = open(dir, `seed ${seed}, side ${side}\n`);
		let drawn = 0, shown = 0;
		for (let i = 0; i < n; i++) {
			const name = String(i).padStart(5, "0") + ".png";
			if (names.has(name)) continue;
			write(dir, name, draw(seed, side, i));
			drawn++;
			if (!quiet && Date.now() - shown > 1000) {
				shown = Date.now();
				process.stderr.write(`drawing faces: ${i + 1} of ${n}${process.stderr.isTTY ? "\x1b[K\r" : "\n"}`);
			}
		}
		if (!quiet) console.log(`${drawn} faces drawn, ${n} in ${dir}`);
		return 0;
	} catch (err) {
		console.error(`error: ${err.message}`);
		return 1;
	}
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
