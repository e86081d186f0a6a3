{{- /* What an operation needs to know of a whole row of D numbers. The small terms
keep a row of zeros from giving NaN. */ -}}
{{- define "inverse"}}
fn inverse(r: u32) -> f32 {
  var s = 0.0;
  for (var k = r * D; k < (r + 1u) * D; k++) { s += {{.}}[k] * {{.}}[k]; }
  return 1.0 / sqrt(s + 1e-12);
}
{{end}}
{{- define "dot"}}
fn dot_(r: u32) -> f32 {
  var s = 0.0;
  for (var k = r * D; k < (r + 1u) * D; k++) { s += {{index . 0}}[k] * {{index . 1}}[k]; }
  return s;
}
{{end}}
{{- define "length"}}
fn length_(r: u32) -> f32 {
  var s = 0.0;
  for (var k = r * D; k < (r + 1u) * D; k++) { let e = {{index . 0}}[k] - {{index . 1}}[k]; s += e * e; }
  return sqrt(s);
}
{{end}}
{{- define "softmax"}}
fn largest(r: u32) -> f32 {
  var top = x0[r * D];
  for (var k = r * D + 1u; k < (r + 1u) * D; k++) { top = max(top, x0[k]); }
  return top;
}
fn total(r: u32, top: f32) -> f32 {
  var s = 0.0;
  for (var k = r * D; k < (r + 1u) * D; k++) { s += exp(x0[k] - top); }
  return s;
}
fn entropy(r: u32) -> f32 {
  let top = largest(r);
  let l = log(total(r, top)) + top;
  var s = 0.0;
  for (var k = r * D; k < (r + 1u) * D; k++) { s += x1[k] * (l - x0[k]); }
  return s;
}
fn share(i: u32) -> f32 {
  let top = largest(i / D);
  return exp(x0[i] - top) / total(i / D, top);
}
{{end}}
