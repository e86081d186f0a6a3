{{- define "header"}}
{{- range $k, $name := .Bindings}}
@group(0) @binding({{$k}}) var<storage, {{if index $.Written $name}}read_write{{else}}read{{end}}> {{$name}}: array<f32>;
{{- end}}

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
fn relu(x: f32) -> f32 { return max(x, 0.0); }
fn leakyrelu(x: f32) -> f32 { return max(x, 0.2 * x); }
fn silu(x: f32) -> f32 { return x * sigmoid(x); }
fn identity(x: f32) -> f32 { return x; }

// First derivatives, at the number before the activation.
fn relu1(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }
fn leakyrelu1(x: f32) -> f32 { return select(0.2, 1.0, x > 0.0); }
fn sigmoid1(x: f32) -> f32 { let s = sigmoid(x); return s * (1.0 - s); }
fn silu1(x: f32) -> f32 { let s = sigmoid(x); return s * (1.0 + x * (1.0 - s)); }
fn identity1(x: f32) -> f32 { return 1.0; }

// Second derivatives.
fn relu2(x: f32) -> f32 { return 0.0; }
fn leakyrelu2(x: f32) -> f32 { return 0.0; }
fn sigmoid2(x: f32) -> f32 { let s = sigmoid(x); return s * (1.0 - s) * (1.0 - 2.0 * s); }
fn silu2(x: f32) -> f32 { let s = sigmoid(x); return s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s)); }
fn identity2(x: f32) -> f32 { return 0.0; }

// scramble is that of package graph, and so are the numbers that dropout keeps.
fn scramble(v: u32) -> u32 {
  var x = v * 747796405u + 2891336453u;
  x = ((x >> ((x >> 28u) + 4u)) ^ x) * 277803737u;
  return (x >> 22u) ^ x;
}
fn dropout(i: u32, counter: f32, seed: u32, least: u32, scale: f32) -> f32 {
  return select(0.0, scale, scramble(i ^ scramble(u32(counter) ^ scramble(seed))) >= least);
}

{{if .Emits}}
// emit takes a result of this shader through whatever is fused to it.
fn emit(i: u32, v0: f32) {
{{- range .Steps}}
  {{.}}
{{- end}}
}
{{end}}
{{- end}}
