{{- /* One shader for everything that is a matrix product: rows of left times
rows of right, M x N sums of K products. What an element of either factor is, and
where a sum goes, is the operation's own: a convolution reads patches of its
image in place, without ever writing them out.

A workgroup makes a BM x BN tile of sums, from slices of the factors that are BK
deep and lie in workgroup memory; an invocation holds TM x TN of them in
registers. Part z of the product is a share of the K products, or a class of the
pixels. */ -}}
{{- define "gemm"}}
{{template "header" .}}
const M = {{.M}}u; const N = {{.N}}u; const K = {{.K}}u;
const BM = {{.BM}}u; const BN = {{.BN}}u; const BK = {{.BK}}u;
const TX = {{.TX}}u; const TY = {{.TY}}u; const THREADS = {{.Threads}}u;
const TILES = {{.Tiles}}u; const TILES_N = {{.TilesN}}u; const GRID = {{.Grid}}u;
const SHARE = {{.Share}}u;
const PA = {{.BM}}u + 1u; const PB = {{.BN}}u + 1u;

{{.Consts}}
{{.Functions}}

fn left(r: u32, k: u32, z: u32) -> f32 {
  {{.Left}}
}

fn right(j: u32, k: u32, z: u32) -> f32 {
  {{.Right}}
}

fn depth(z: u32) -> u32 { return {{.Depth}}; }
fn height(z: u32) -> u32 { return {{.Height}}; }

var<workgroup> as_: array<f32, {{.SizeA}}>;
var<workgroup> bs_: array<f32, {{.SizeB}}>;

@compute @workgroup_size({{.Threads}})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let tile = wid.y * GRID + wid.x;
  if (tile >= TILES) { return; }
  let z = wid.z;
  let r0 = (tile / TILES_N) * BM;
  let j0 = (tile % TILES_N) * BN;
  let tx = lid % TX;
  let ty = lid / TX;
  let rows = height(z);
  let first = z * SHARE;
  let end = min(depth(z), first + {{.Stride}});
{{- range $i := .Rows}}{{range $j := $.Cols}}
  var c{{$i}}_{{$j}} = 0.0;
{{- end}}{{end}}
  for (var k0 = first; k0 < end; k0 += BK) {
{{- range .LoadA}}
    { {{if $.PartA}}if (lid + {{.}}u < {{$.TileA}}u) { {{end}}
      let l = lid + {{.}}u;
      let kk = {{if $.AlongA}}l % BK{{else}}l / BM{{end}};
      let m = {{if $.AlongA}}l / BK{{else}}l % BM{{end}};
      var v = 0.0;
      if (r0 + m < {{$.HeightA}} && k0 + kk < end) { v = {{$.CallA}}(r0 + m, k0 + kk, z); }
      as_[kk * PA + m] = v;
    {{if $.PartA}}}{{end}} }
{{- end}}
{{- range .LoadB}}
    { {{if $.PartB}}if (lid + {{.}}u < {{$.TileB}}u) { {{end}}
      let l = lid + {{.}}u;
      let kk = {{if $.AlongB}}l % BK{{else}}l / BN{{end}};
      let m = {{if $.AlongB}}l / BK{{else}}l % BN{{end}};
      var v = 0.0;
      if (j0 + m < {{$.HeightB}} && k0 + kk < end) { v = {{$.CallB}}(j0 + m, k0 + kk, z); }
      bs_[kk * PB + m] = v;
    {{if $.PartB}}}{{end}} }
{{- end}}
    workgroupBarrier();
    for (var k = 0u; k < BK; k += {{len .Depths}}u) {
{{- range $k := .Depths}}
      {
{{- range $i := $.Rows}}
        let a{{$i}} = as_[(k + {{$k}}u) * PA + ty + {{$i}}u * TY];
{{- end}}
{{- range $j := $.Cols}}
        let b{{$j}} = bs_[(k + {{$k}}u) * PB + tx + {{$j}}u * TX];
{{- end}}
{{- range $i := $.Rows}}{{range $j := $.Cols}}
        c{{$i}}_{{$j}} += a{{$i}} * b{{$j}};
{{- end}}{{end}}
      }
{{- end}}
    }
    workgroupBarrier();
  }
{{- range $i := .Rows}}{{range $j := $.Cols}}
  {
    let m = r0 + ty + {{$i}}u * TY;
    let n = j0 + tx + {{$j}}u * TX;
    if (m < {{$.HeightA}} && n < {{$.HeightB}}) { put({{$.Order}}, z, c{{$i}}_{{$j}}); }
  }
{{- end}}{{end}}
}

fn put(r: u32, j: u32, z: u32, v: f32) {
{{- if .Partial}}
  y0[z * (M * N) + r * N + j] = v;
{{- else}}
  {{.Place}}
{{- end}}
}
{{end}}
