{{- /* Sums of columns: for each of W columns the sum of term(r, c) over R rows.
The invocations of a workgroup are CX columns wide and RY rows deep; each adds
every RY-th row of a chunk, and the RY sums of a column are added in pairs. With
more than one chunk, another such sum adds the chunks up. */ -}}
{{- define "sum"}}
{{template "header" .}}
const R = {{.R}}u; const W = {{.W}}u;
const CX = {{.CX}}u; const RY = {{.RY}}u; const CHUNK = {{.Chunk}}u; const TILES = {{.Tiles}}u; const GRID = {{.Grid}}u; const COUNT = {{.Count}}u;

{{.Consts}}

fn term(r: u32, c: u32) -> f32 {
  {{.Term}}
}

var<workgroup> part: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let group = wid.y * GRID + wid.x;
  if (group >= COUNT) { return; }
  let c = (group % TILES) * CX + lid % CX;
  let y = lid / CX;
  let chunk = group / TILES;
  var s = 0.0;
  if (c < W) {
    let end = min(R, (chunk + 1u) * CHUNK);
    for (var r = chunk * CHUNK + y; r < end; r += RY) { s += term(r, c); }
  }
  part[lid] = s;
  workgroupBarrier();
{{- range .Halves}}
  if (y < {{.}}u) { part[lid] += part[lid + {{.}}u * CX]; }
  workgroupBarrier();
{{- end}}
  if (y == 0u && c < W) {
{{- if .Partial}}
    y0[chunk * W + c] = part[lid];
{{- else}}
    emit(c, part[lid]);
{{- end}}
  }
}
{{end}}
