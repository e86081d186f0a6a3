package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// axe returns the script of axe-core, which finds what keeps people from using a
// page.
func axe(t *testing.T) string {
	t.Helper()
	script, err := fetched()
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// fetched is axe-core's script. npm fetches it once, in the version and with the
// checksum of package-lock.json, into the user's cache.
var fetched = sync.OnceValues(func() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "mppm", "e2e-"+hex.EncodeToString(sum[:8]))
	script := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if b, err := os.ReadFile(script); err == nil {
		return string(b), nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot fetch axe-core: %w (on Debian and Ubuntu `apt-get install npm`; MPPM_SKIP_BROWSER=1 leaves these tests out)\n%s", err, out)
	}
	b, err := os.ReadFile(script)
	if err != nil {
		return "", err
	}
	return string(b), nil
})

// finding is a rule of axe-core's that the page breaks.
type finding struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Where  []string `json:"where"`
}

// findings returns what axe-core finds on the page as it is, of WCAG 2.2 A and AA
// and of good practice.
func (p *tab) findings(script string) []finding {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](script + "; 0"))
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, where: v.nodes.map(n => n.target.join(" ") + ": " + n.failureSummary)}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	var found []finding
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}

// TestEverybodyCanUseIt holds the page to axe-core: every mode, with what can be
// folded open, the dialogs, and a page of source, dark and light.
func TestEverybodyCanUseIt(t *testing.T) {
	t.Parallel()
	script := axe(t)
	url := server(t, "/", host.Handler(dist, host.Options{}))
	for _, theme := range []string{"dark", "light"} {
		p := blank(t)
		p.prefers(theme, still) // with less motion, no color is on its way to another
		p.do(chromedp.Navigate(url))
		p.ready()
		check := func(what string) {
			t.Helper()
			for _, f := range p.findings(script) {
				t.Errorf("%s, %s: %s (%s): %s\n\t%s", theme, what, f.Help, f.Impact, f.ID, strings.Join(f.Where, "\n\t"))
			}
		}
		eval[int](p, `document.querySelectorAll("details").forEach(d => d.open = true)`+", 0")
		p.click("remember")
		p.rest("what is remembered", func(s state) bool { return s.Memory.Codes != "" }) // which moves what is below
		p.click("without-7")
		p.rest("what is remembered and forgotten", func(s state) bool { return s.Memory.Codes != "" && s.Memory.Forget == "7" })
		for _, m := range []string{"restore", "generate", "map", "manifold"} {
			p.click("tab-" + m)
			p.rest(m, func(s state) bool { return s.Mode == m })
			check(m)
		}
		p.click("draw-own")
		p.wait("an empty sheet", func(s state) bool { return s.Figure.Curve == "own" })
		p.choose("own-from", "spiral")
		p.rest("a curve of one's own", func(s state) bool { return s.Descent != nil && s.Descent.Own != nil && s.Descent.Own.Strokes > 0 })
		check("a curve of one's own")
		p.click("tab-generate")
		p.click("walk")
		p.rest("a walk", func(s state) bool { return s.Walk && s.Subject == "walk" && s.Step == s.Steps && s.Steps > 15 })
		check("a walk")
		p.key("?")
		p.do(chromedp.WaitVisible("#keys"))
		check("the list of keys")
		p.click("keys-close")
		p.do(chromedp.Navigate(url + eval[string](p, `document.querySelector(".sources a").getAttribute("href")`)))
		p.do(chromedp.WaitVisible(".lines"))
		check("a page of source")
	}
}

// TestNoFocusIsLost goes through all controls with the Tab key: each can be seen
// to have the focus, and it comes round.
func TestNoFocusIsLost(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.click("memory > summary")
	seen := map[string]bool{}
	for _, m := range []string{"restore", "generate", "map", "manifold"} {
		p.click("tab-" + m)
		p.rest(m, func(s state) bool { return s.Mode == m })
		for range 60 {
			p.key("\t")
			at := eval[struct {
				Name    string
				Outline string
				Seen    bool
			}](p, `(e => ({
				Name: e === document.body ? "BODY" : e.id || e.textContent.trim().slice(0, 40) || e.tagName,
				Outline: getComputedStyle(e).outlineStyle,
				Seen: e === document.body || e.getClientRects().length > 0,
			}))(document.activeElement)`)
			if at.Name == "BODY" || at.Name == "" {
				continue
			}
			seen[at.Name] = true
			if !at.Seen || at.Outline == "none" {
				t.Errorf("%s: %q has the focus, and one cannot see it (outline %s, shown %v)", m, at.Name, at.Outline, at.Seen)
			}
		}
	}
	for _, name := range []string{"another", "timeline", "play", "kind", "severity", "grid", "more", "map", "follow", "heat", "manifold", "bend", "way-mppm", "construction", "copy-link", "help", "remember", "without-7", "take-back"} {
		if !seen[name] {
			t.Errorf("the Tab key never reaches %s (it reaches %s)", name, fmt.Sprint(seen))
		}
	}
}
