package ambient

import (
	"encoding/json"
	"fmt"
	"reflect"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
)

// quantized is the least width of the layers that are stored in eight bits: of
// narrower ones the scales would take more room than is saved.
const quantized = 16

// maxKept is how many training points a weights file holds at most: the kernel
// mean sums over all of them.
const maxKept = 2000

// Weights turns the run into a weights file: the nets of each method's best
// epoch, wide layers in eight bits unless float is set, and the training points.
func (t *Task) Weights(float bool) (*safetensors.File, error) {
	f := &safetensors.File{Meta: map[string]string{
		"kind":                ambient.Kind,
		"distance.activation": string(t.Config.Activation),
	}}
	err := run.Describe(f, map[string]any{
		"flow.restore": t.Config.Flow,
		"flow.paper":   PaperFlow(),
		"diffusion":    t.Config.Diffusion,
		"training":     t.Config,
		"best":         t.Best,
		"data":         map[string]any{"name": t.cloud.Name, "points": t.cloud.Len(), "md5": t.cloud.MD5()},
	})
	if err != nil {
		return nil, err
	}
	dim := t.cloud.Dim
	points := t.train
	if n := t.trained(); n > maxKept {
		points = nil
		for _, i := range rng.New(t.Config.Seed, streamKept).Perm(n)[:maxKept] {
			points = append(points, t.train[i*dim:(i+1)*dim]...)
		}
	}
	err = f.AddFloat32("points", points, len(points)/dim, dim)
	if err == nil {
		err = t.addFrame(f)
	}
	for m := range methods {
		for i, p := range t.params[m] {
			add := f.AddFloat32
			if !float && len(p.Shape) > 1 && p.Shape[1] >= quantized {
				add = f.AddInt8
			}
			if err == nil {
				err = add(p.Name, t.kept[m][i].Data, p.Shape...)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return f, nil
}

// Finish is Weights with the scores of what they hold, which it returns, with the points
// that are scored.
func (t *Task) Finish(float bool) (*safetensors.File, Scores, *Restored, error) {
	f, err := t.Weights(float)
	if err != nil {
		return nil, Scores{}, nil, err
	}
	b, err := f.Encode()
	if err != nil {
		return nil, Scores{}, nil, err
	}
	m, err := ambient.Load(b)
	if err != nil {
		return nil, Scores{}, nil, err
	}
	s, points, err := t.Score(m)
	if err == nil {
		err = run.Describe(f, map[string]any{"scores": s})
	}
	return f, s, points, err
}

// addFrame adds what leads from the model's coordinates back to the points' own.
// The center is in the metadata too where 32 bits do not hold it.
func (t *Task) addFrame(f *safetensors.File) error {
	center := make([]float32, len(t.frame.center))
	exact := true
	for k, v := range t.frame.center {
		center[k] = float32(v)
		exact = exact && float64(center[k]) == v
	}
	if !exact {
		b, err := json.Marshal(t.frame.center)
		if err != nil {
			return err
		}
		f.Meta["center"] = string(b)
	}
	if err := f.AddFloat32("center", center, len(center)); err != nil {
		return err
	}
	return f.AddFloat32("scale", []float32{t.frame.scale}, 1)
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
