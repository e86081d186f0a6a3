package bundle

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mppm/site/internal/host"
)

func static(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "static", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPageCarriesThePolicy holds the page's own policy, for hosts that set no
// headers, to that of the headers. A meta element cannot say frame-ancestors.
func TestPageCarriesThePolicy(t *testing.T) {
	page := static(t, "index.html")
	policy, _, _ := strings.Cut(host.Policy, "; frame-ancestors")
	if !strings.Contains(page, `content="`+policy+`"`) {
		t.Errorf("site/static/index.html does not carry the policy %q", policy)
	}
	for name, pattern := range map[string]string{
		"an inline script":  `<script(?:\s[^>]*)?>\s*[^<\s]`,
		"an inline style":   `\sstyle=|<style`,
		"an inline handler": `\son[a-z]+=`,
		"another origin":    `(?:src|href)="(?:https?:)?//[^"]*"[^>]*(?:stylesheet|script|icon)`,
		"an absolute path":  `(?:src|href)="/`,
	} {
		if m := regexp.MustCompile(pattern).FindString(page); m != "" {
			t.Errorf("the page has %s: %q", name, m)
		}
	}
}

// TestEveryControlHasAName looks for controls that a screen reader could not
// name.
func TestEveryControlHasAName(t *testing.T) {
	page := static(t, "index.html")
	for _, tag := range regexp.MustCompile(`<(?:input|select)[^>]*>`).FindAllStringIndex(page, -1) {
		control := page[tag[0]:tag[1]]
		before := page[:tag[0]]
		inLabel := strings.LastIndex(before, "<label") > strings.LastIndex(before, "</label>")
		if !inLabel && !strings.Contains(control, "aria-label=") {
			t.Errorf("%s has no label", control)
		}
	}
	for _, m := range regexp.MustCompile(`<button([^>]*)>(.*?)</button>`).FindAllStringSubmatch(page, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[2], "")
		if strings.TrimSpace(text) == "" && !strings.Contains(m[1], "aria-label=") {
			t.Errorf("the button <button%s> has no name", m[1])
		}
	}
}

func TestHeadersFile(t *testing.T) {
	h := headersFile()
	for _, want := range []string{"/*\n", "  Content-Security-Policy: " + host.Policy + "\n", "/assets/*\n  Cache-Control: " + host.Forever + "\n"} {
		if !strings.Contains(h, want) {
			t.Errorf("_headers lacks %q:\n%s", want, h)
		}
	}
}
