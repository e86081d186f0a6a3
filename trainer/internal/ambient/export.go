package ambient

import (
	"encoding/json"
	"fmt"
	"reflect"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/pointcloud"
)

// quantized is the least width of the layers that are stored in eight bits: of
// narrower ones the scales would take more room than is saved.
const quantized = 16

// maxKept is how many training points a weights file holds at most: the kernel
// mean sums over all of them.
const maxKept = 2000

// Weights turns the run into a weights file: the nets of each method's best
// epoch, wide layers in eight bits unless float is set, and the training points.
func (r *Run) Weights(float bool) (*safetensors.File, error) {
	f := &safetensors.File{Meta: map[string]string{
		"kind":                ambient.Kind,
		"distance.activation": string(r.Config.Activation),
	}}
	paper := PaperFlow()
	for key, value := range map[string]any{
		"flow.restore": r.Config.Flow,
		"flow.paper":   paper,
		"diffusion":    r.Config.Diffusion,
		"training":     r.Config,
		"best":         r.best,
		"data":         map[string]any{"name": r.cloud.Name, "points": r.cloud.Len(), "md5": r.cloud.MD5()},
	} {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("export: %s: %w", key, err)
		}
		f.Meta[key] = string(b)
	}
	dim := r.cloud.Dim
	points := r.train
	if n := r.trained(); n > maxKept {
		points = nil
		for _, i := range rng.New(r.Config.Seed, streamKept).Perm(n)[:maxKept] {
			points = append(points, r.train[i*dim:(i+1)*dim]...)
		}
	}
	err := f.AddFloat32("points", points, len(points)/dim, dim)
	if err == nil {
		err = r.addFrame(f)
	}
	for m := range methods {
		for i, p := range r.params[m] {
			add := f.AddFloat32
			if !float && len(p.Shape) > 1 && p.Shape[1] >= quantized {
				add = f.AddInt8
			}
			if err == nil {
				err = add(p.Name, r.kept[m][i].Data, p.Shape...)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return f, nil
}

// addFrame adds what leads from the model's coordinates back to the points' own.
// The center is in the metadata too where 32 bits do not hold it.
func (r *Run) addFrame(f *safetensors.File) error {
	center := make([]float32, len(r.frame.center))
	exact := true
	for k, v := range r.frame.center {
		center[k] = float32(v)
		exact = exact && float64(center[k]) == v
	}
	if !exact {
		b, err := json.Marshal(r.frame.center)
		if err != nil {
			return err
		}
		f.Meta["center"] = string(b)
	}
	if err := f.AddFloat32("center", center, len(center)); err != nil {
		return err
	}
	return f.AddFloat32("scale", []float32{r.frame.scale}, 1)
}

// Same reports whether a model is what training with the configuration on the
// points gives, whatever flow either has.
func Same(m *ambient.Model, c Config, cloud *pointcloud.Cloud) bool {
	var was Config
	var data struct {
		MD5 string `json:"md5"`
	}
	if json.Unmarshal([]byte(m.Meta["training"]), &was) != nil || json.Unmarshal([]byte(m.Meta["data"]), &data) != nil {
		return false
	}
	was.Flow = c.Flow
	return reflect.DeepEqual(was, c) && data.MD5 == cloud.MD5()
}
