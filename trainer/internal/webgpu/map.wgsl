{{- /* One number after the other: value(i) for i below SIZE. */ -}}
{{- define "map"}}
{{template "header" .}}
const SIZE = {{.Size}}u; const GRID = {{.Grid}}u;

{{.Consts}}
{{.Functions}}

fn value(i: u32) -> f32 {
  {{.Value}}
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * GRID + wid.x) * 256u + lid;
  if (i < SIZE) { emit(i, value(i)); }
}
{{end}}
