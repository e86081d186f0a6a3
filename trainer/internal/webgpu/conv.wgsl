{{- /* Images are channels-last. patch(image, row, k) is number k (kernel row,
kernel column, channel) of the patch that row (image, row and column of the
smaller image) lies under. */ -}}
{{- define "patch"}}
fn patch_(row: u32, k: u32) -> f32 {
  let at = row % (OH * OW);
  let t = k / C;
  let y = i32((at / OW) * STEP + t / SIDE) - PAD;
  let x = i32((at % OW) * STEP + t % SIDE) - PAD;
  if (y < 0 || x < 0 || y >= i32(H) || x >= i32(W)) { return 0.0; }
  return {{.}}[((row / (OH * OW) * H + u32(y)) * W + u32(x)) * C + k % C];
}
{{end}}

{{- /* The transpose of patches: a pixel of the larger image is reached by the taps
that differ from it by a multiple of the step, so pixels fall into step² classes
by their remainders, each a product of its own depth: class z has the pixels
(z / STEP, z % STEP) + STEP·(row, column). */ -}}
{{- define "classes"}}
fn classWidth(z: u32) -> u32 { return (W + STEP - 1u - z % STEP) / STEP; }
fn classHeight(z: u32) -> u32 { return (H + STEP - 1u - z / STEP) / STEP; }
fn firstTap(z: u32) -> vec2<u32> { return (vec2<u32>(z / STEP, z % STEP) + PAD) % STEP; }
fn taps(z: u32) -> vec2<u32> { return (max(vec2<u32>(SIDE), firstTap(z)) - firstTap(z) + STEP - 1u) / STEP; }
// tap is the kernel row and column of product k, whose depth is IN a tap.
fn tap(k: u32, z: u32) -> vec2<u32> {
  let t = k / IN;
  let wide = taps(z).y;
  return firstTap(z) + STEP * vec2<u32>(t / wide, t % wide);
}
fn pixel(r: u32, z: u32) -> vec3<u32> {
  let wide = classWidth(z);
  let high = classHeight(z);
  return vec3<u32>(r / (wide * high), (r / wide % high) * STEP + z / STEP, (r % wide) * STEP + z % STEP);
}
fn gather(r: u32, k: u32, z: u32) -> f32 {
  let p = pixel(r, z);
  let t = vec2<i32>(p.yz) + i32(PAD) - vec2<i32>(tap(k, z));
  let o = vec2<u32>(t) / STEP;
  if (t.x < 0 || t.y < 0 || o.x >= OH || o.y >= OW) { return 0.0; }
  return x0[((p.x * OH + o.x) * OW + o.y) * IN + k % IN];
}
fn pixelIndex(r: u32, z: u32) -> u32 {
  let p = pixel(r, z);
  return (p.x * H + p.y) * W + p.z;
}
{{end}}

{{- /* largest(i) is where the largest number lies under the kernel at number i of the
smaller image; pooled(i) is what reaches number i of the larger one from there. */ -}}
{{- define "pool"}}
fn largest(i: u32) -> u32 {
  let c = i % C;
  let y0_ = i32(i / (C * OW) % OH * STEP) - PAD;
  let x0_ = i32(i / C % OW * STEP) - PAD;
  let image = i / (C * OW * OH) * H;
  var best = 0u;
  var first = true;
  for (var y = max(0, y0_); y < min(i32(H), y0_ + i32(SIDE)); y++) {
    for (var x = max(0, x0_); x < min(i32(W), x0_ + i32(SIDE)); x++) {
      let at = ((image + u32(y)) * W + u32(x)) * C + c;
      if (first || x0[at] > x0[best]) { best = at; first = false; }
    }
  }
  return best;
}
{{end}}
{{- define "pooled"}}
fn pooled(i: u32) -> f32 {
  let y = i32(i / (C * W) % H) + PAD;
  let x = i32(i / C % W) + PAD;
  let image = i / (C * W * H) * OH;
  var s = 0.0;
  for (var oy = max(0, y - i32(SIDE) + i32(STEP)) / i32(STEP); oy <= min(y / i32(STEP), i32(OH) - 1); oy++) {
    for (var ox = max(0, x - i32(SIDE) + i32(STEP)) / i32(STEP); ox <= min(x / i32(STEP), i32(OW) - 1); ox++) {
      let at = ((image + u32(oy)) * OW + u32(ox)) * C + i % C;
      if (largest(at) == i) { s += x1[at]; }
    }
  }
  return s;
}
{{end}}
