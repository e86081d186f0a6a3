package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
)

// cross is a symbol that no digit is: two lines that cross, 28 × 28 in gray.
func cross() []byte {
	x := make([]byte, 784)
	for i := 5; i < 23; i++ {
		for _, at := range []int{i*28 + i, i*28 + i + 1, i*28 + 27 - i, i*28 + 26 - i} {
			x[at] = 255
		}
	}
	return x
}

// TestBank: what is remembered is restored better, whatever it is; in a world without
// sevens they are restored to something else; and without the flags nothing changes.
func TestBank(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("symbols"), 0o777); err != nil {
		t.Fatal(err)
	}
	symbol := put(t, at("symbols/cross.png"), pngOf(t, cross(), 28, 28))
	restore := func(in string, more ...string) (mse float64, out []byte) {
		r := must(t, append([]string{"restore", "--in", in, "--out", at("out.idx"), "--force", "--degrade", "gaussian=0.7", "--center", "never"}, more...)...)
		return table(t, r.stdout)["restored"][0], get(t, at("out.idx"))
	}
	plain, _ := restore(symbol)
	taught, _ := restore(symbol, "--bank-add", at("symbols"), "--bank-weight", "300")
	if taught > 0.7*plain {
		t.Errorf("the mean error is %v once it is remembered, %v before", taught, plain)
	}
	var seven []byte
	for i, label := range set.Test.Labels {
		if label == 7 && len(seven) < 20*784 {
			seven = append(seven, set.Test.Images[i*784:(i+1)*784]...)
		}
	}
	in := put(t, at("sevens.idx"), idxOf(seven))
	_, with := restore(in)
	_, without := restore(in, "--forget", "7")
	if bytes.Equal(with, without) {
		t.Error("without sevens they are restored alike")
	}
	grow := func(more ...string) (said string, out []byte) {
		r := must(t, append([]string{"generate", "--n", "20", "--out", at("grown.idx"), "--force"}, more...)...)
		return r.stdout, get(t, at("grown.idx"))
	}
	_, all := grow()
	said, some := grow("--forget", "7,1", "--bank-add", symbol)
	if bytes.Equal(all, some) || !strings.Contains(said, "codes of 5000") {
		t.Errorf("without sevens and ones alike grow, and the command says %q", said)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--forget", []string{"--forget", "seven"}},
		{"--forget", []string{"--forget", "-1"}},
		{"no code of class 12", []string{"--forget", "12"}},
		{"every class would be forgotten", []string{"--forget", "0,1,2,3,4,5,6,7,8,9"}},
		{"give that too", []string{"--bank-weight", "30"}},
		{"not in the range 1 to 1e+06", []string{"--bank-add", symbol, "--bank-weight", "0.5"}},
		{"no code bank", []string{"--method", "ldm", "--forget", "7"}},
		{"no code bank", []string{"--method", "ldm", "--bank-add", symbol}},
		{"--bank-add: ", []string{"--bank-add", at("none")}},
		{"name a file or a folder", []string{"--bank-add", "-"}},
		{"no labels", []string{"--weights", "faces", "--forget", "7"}},
	} {
		if r := run(t, append([]string{"generate", "--n", "1", "--out", at("bad.idx")}, c.args...)...); r.code == 0 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: %d %s", c.args, r.code, r.stderr)
		}
	}
}
