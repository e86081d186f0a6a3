package app

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"

	"mppm/shared/model"
)

// codeGrain is what the numbers of a packed code are multiples of: codes of
// digits are within ±10 or so, and images do not show a step of this size.
const codeGrain = 1.0 / 1024

// packCode writes a code in letters that an address may hold, on the grain.
func packCode(z []float32) string {
	b := make([]byte, 0, 2*model.Latent)
	for _, v := range z[:model.Latent] {
		g := math.Round(float64(v) / codeGrain)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(min(max(g, math.MinInt16), math.MaxInt16))))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// unpackCode reads what packCode wrote.
func unpackCode(text string) ([]float32, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 2*model.Latent {
		return nil, errors.New("this is not a code")
	}
	z := make([]float32, model.Latent)
	for i := range z {
		z[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:]))) * codeGrain
	}
	return z, nil
}
