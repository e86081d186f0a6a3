package app

import (
	"fmt"
	"strings"
	"testing"
)

// TestTransferImages: whatever is dropped or pasted, the first picture there is, or
// why there is none.
func TestTransferImages(t *testing.T) {
	const origin = "https://here.example"
	png := TransferFile{Name: "a.png", Type: "image/png"}
	text := TransferFile{Name: "notes.txt", Type: "text/plain"}
	raw := TransferFile{Name: "scan"}
	for _, c := range []struct {
		name string
		t    Transfer
		want string // the sources
		err  string // what the error says
	}{
		{"a picture", Transfer{Files: []TransferFile{png}}, "file 0", ""},
		{"a text before it", Transfer{Files: []TransferFile{text, png}}, "file 1", ""},
		{"two pictures", Transfer{Files: []TransferFile{png, text, png}}, "file 0, file 2", ""},
		{"a file of no known type", Transfer{Files: []TransferFile{raw, png}}, "file 1, file 0", ""},
		{"a text alone", Transfer{Files: []TransferFile{text}}, "", `"notes.txt" is no picture`},
		{"several texts", Transfer{Files: []TransferFile{text, text}}, "", "none of these 2 files"},
		{"a copied picture", Transfer{Files: []TransferFile{png}, Image: "https://far.example/a.png"}, "file 0", ""},
		{"from another site's page", Transfer{Image: "https://far.example/a.png", URIs: "https://far.example/page\r\n", Text: "https://far.example/page"}, "", "at far.example"},
		{"a list with a comment", Transfer{URIs: "# from a browser\r\nhttps://far.example/a.png\r\n"}, "", "at far.example"},
		{"from this site", Transfer{URIs: "https://here.example/docs/a.png"}, "url https://here.example/docs/a.png", ""},
		{"a site whose name begins so", Transfer{URIs: "https://here.example.org/a.png"}, "", "at here.example.org"},
		{"in the address", Transfer{Image: "data:image/png;base64,iVBO%0ARw0="}, "data 89504e47 0d", ""},
		{"in the address, without padding", Transfer{Text: "data:image/gif;base64,R0lGOD"}, "data 47494638", ""},
		{"in the address, as text", Transfer{Image: "data:image/svg+xml,%3Csvg/%3E"}, "data 3c737667 2f3e", ""},
		{"a broken address", Transfer{Image: "data:image/png;base64,!"}, "", "holds none"},
		{"an address without data", Transfer{Image: "data:image/png"}, "", "holds none"},
		{"a blob of another page", Transfer{Image: "blob:https://far.example/0"}, "", "another page"},
		{"a file's address", Transfer{URIs: "file:///home/me/a%20b.png"}, "", "a b.png on this machine"},
		{"words", Transfer{Text: "seven of nine"}, "", "no picture in this"},
		{"a word with a colon", Transfer{Text: "note:seven"}, "", "no picture in this"},
		{"nothing", Transfer{}, "", "no picture in this"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sources, err := c.t.Images(origin)
			var got []string
			for _, s := range sources {
				switch {
				case s.File >= 0:
					got = append(got, fmt.Sprint("file ", s.File))
				case s.URL != "":
					got = append(got, "url "+s.URL)
				default:
					b := fmt.Sprintf("%x", s.Data)
					if len(b) > 8 {
						b = b[:8] + " " + b[8:]
					}
					got = append(got, "data "+b)
				}
			}
			if all := strings.Join(got, ", "); all != c.want {
				t.Errorf("the sources are %q, want %q", all, c.want)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("the error is %v, want one with %q", err, c.err)
			}
		})
	}
}
