package restore

import (
	"testing"

	"mppm/shared/idx"
	"mppm/shared/nn"
	"mppm/wasm/app/room/roomtest"
)

func TestParseDigitsRefuses(t *testing.T) {
	file := func(data []byte, shape ...int) []byte {
		f, err := idx.New(data, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return f.Encode()
	}
	one := file(make([]byte, roomtest.Pixels), 1, 28, 28)
	for name, c := range map[string][2][]byte{
		"nothing":         {nil, nil},
		"no labels":       {one, nil},
		"too few labels":  {one, file(nil, 0)},
		"a label of 10":   {one, file([]byte{10}, 1)},
		"another size":    {file(make([]byte, 100), 1, 10, 10), file([]byte{1}, 1)},
		"no images":       {file(nil, 0, 28, 28), file(nil, 0)},
		"labels as image": {one, one},
	} {
		if _, err := ParseDigits(c[0], c[1], nn.Shape{H: 28, W: 28, C: 1}, 10); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
