{{- /* A step of Adam (Kingma and Ba 2014) over all parameters: rates is the learning
rate over 1 − β₁ᵗ, and 1/√(1 − β₂ᵗ). With a weight decay, so many times p is added
to the gradient. */ -}}
{{- define "adam"}}
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read> rates: array<f32>;
const SIZE = {{.Size}}u; const GRID = {{.Grid}}u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * GRID + wid.x) * 256u + lid;
  if (i >= SIZE) { return; }
  let d = g[i]{{if .Decay}} + {{.Decay}} * p[i]{{end}};
  let m1 = {{.Beta1}} * m[i] + {{.Rest1}} * d;
  let v1 = {{.Beta2}} * v[i] + {{.Rest2}} * (d * d);
  m[i] = m1;
  v[i] = v1;
  p[i] -= rates[0] * m1 / (sqrt(v1) * rates[1] + {{.Epsilon}});
}
{{end}}
