package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mppm/site/internal/host"
)

// firefox is a Firefox without a window, driven by its own protocol, Marionette:
// JSON with its length before it.
type firefox struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	id   int

	mu  sync.Mutex
	out bytes.Buffer // what it writes, errors of the page among it
}

// findFirefox returns the path of a Firefox. MPPM_FIREFOX names another.
func findFirefox() (string, error) {
	if p := os.Getenv("MPPM_FIREFOX"); p != "" {
		if _, err := os.Stat(p); err != nil {
			return "", fmt.Errorf("MPPM_FIREFOX: %w", err)
		}
		return p, nil
	}
	for _, name := range []string{"firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"} {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	return "", errors.New("no Firefox found: on Debian `apt-get install firefox-esr`, elsewhere install Firefox, or name it with MPPM_FIREFOX=PATH (MPPM_SKIP_BROWSER=1 leaves these tests out)")
}

// startFirefox starts one with a profile of its own, which ends with the test; with more
// preferences, as user.js has them, if given.
func startFirefox(t *testing.T, more ...string) *firefox {
	t.Helper()
	path, err := findFirefox()
	if err != nil {
		t.Fatal(err)
	}
	profile := t.TempDir()
	prefs := `user_pref("marionette.port", 0);
user_pref("devtools.console.stdout.content", true);
user_pref("browser.dom.window.dump.enabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("webgl.force-enabled", true);
`
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs+strings.Join(more, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	f := &firefox{t: t}
	ctx, cancel := context.WithCancel(context.Background())
	args := []string{"--marionette", "--no-remote", "--profile", profile, "about:blank"}
	env := append(os.Environ(), "HOME="+profile)
	if runtime.GOOS == "linux" { // without a screen, Firefox has no WebGL there
		env = append(env, "DISPLAY="+screen(t))
	} else {
		args = append(args, "--headless")
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f.conn != nil {
			f.conn.Close()
		}
		cancel()
		_ = cmd.Wait() // it was interrupted
	})
	port := filepath.Join(profile, "MarionetteActivePort")
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if b, err := os.ReadFile(port); err == nil && len(b) > 0 {
			if f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(b))); err == nil {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not start:\n%s", path, f.written())
		}
	}
	f.in = bufio.NewReader(f.conn)
	if _, err := f.read(); err != nil { // what it is
		t.Fatal(err)
	}
	f.call("WebDriver:NewSession", map[string]any{"capabilities": map[string]any{}})
	return f
}

// screen starts a screen that nobody sees, which ends with the test, and returns
// its name.
func screen(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		t.Fatal("no Xvfb found, a screen for Firefox that nobody sees: on Debian and Ubuntu `apt-get install xvfb libgl1-mesa-dri libegl1 libpci3` (MPPM_SKIP_BROWSER=1 leaves these tests out)")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(path, "-displayfd", "3", "-screen", "0", "1400x1200x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was interrupted
	})
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// Write keeps what Firefox writes.
func (f *firefox) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(b)
}

func (f *firefox) written() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.String()
}

// read reads one message.
func (f *firefox) read() ([]byte, error) {
	if err := f.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	length, err := f.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(f.in, b)
	return b, err
}

// call makes a call and returns what it gives.
func (f *firefox) call(name string, args map[string]any) json.RawMessage {
	f.t.Helper()
	f.id++
	b, err := json.Marshal([]any{0, f.id, name, args})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(b), b); err != nil {
		f.t.Fatal(err)
	}
	if b, err = f.read(); err != nil {
		f.t.Fatalf("%s: %v", name, err)
	}
	var answer [4]json.RawMessage
	if err := json.Unmarshal(b, &answer); err != nil {
		f.t.Fatal(err)
	}
	if string(answer[2]) != "null" {
		f.t.Fatalf("%s: %s", name, answer[2])
	}
	return answer[3]
}

// script returns what a function body returns, as a string.
func (f *firefox) script(body string) string {
	f.t.Helper()
	var r struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(f.call("WebDriver:ExecuteScript", map[string]any{"script": body, "args": []any{}}), &r); err != nil {
		f.t.Fatal(err)
	}
	return r.Value
}

// click clicks on an element, as with a mouse.
func (f *firefox) click(selector string) {
	f.t.Helper()
	var r struct {
		Value map[string]string `json:"value"`
	}
	if err := json.Unmarshal(f.call("WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector}), &r); err != nil {
		f.t.Fatal(err)
	}
	for _, id := range r.Value {
		f.call("WebDriver:ElementClick", map[string]any{"id": id})
	}
}

// rest waits until the page is at rest as it should be.
func (f *firefox) rest(what string, ok func(state) bool) state {
	f.t.Helper()
	var s state
	for end := time.Now().Add(2 * patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		text := f.script(`return window.mppm && window.mppm.state ? window.mppm.state() : "{}"`)
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			f.t.Fatal(err)
		}
		if s.Ready && !s.Active && ok(s) {
			return s
		}
	}
	f.t.Fatalf("waited for %s in vain; the state is %+v, the page says %q", what, s, f.script(`return document.getElementById("loading-detail").textContent`))
	return s
}

// pageError finds what a page wrote to the console as an error, and what it did
// not catch. A page's words are quoted or in parentheses; what begins with a bare
// name and a colon is a part of the browser itself, which complains, for one, that
// it could not fetch its own settings from the network.
var pageError = regexp.MustCompile(`(?m)^(?:console\.error: ["({].*|JavaScript error: http.*)$`)

// TestFirefox goes through the modes in another browser: what is computed is the
// same, the canvas is alive, and nothing is wrong in the console.
func TestFirefox(t *testing.T) {
	t.Parallel()
	url := server(t, "/", host.Handler(dist, host.Options{}))
	p := open(t, url)
	want := p.rest("the first restoration, in Chromium", func(s state) bool { return s.Step == s.Steps && s.LDM != nil && !s.Active })
	f := startFirefox(t)
	f.call("WebDriver:SetWindowRect", map[string]any{"width": 1280, "height": 1000})
	f.call("WebDriver:Navigate", map[string]any{"url": url})
	got := f.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 && s.LDM != nil })
	if got.MSEAfter != want.MSEAfter || got.Distance != want.Distance || got.LDM.MSE != want.LDM.MSE || got.Reads != want.Reads {
		t.Errorf("Firefox computes %+v, Chromium %+v", got, want)
	}
	f.click("#tab-generate")
	f.rest("the grid", func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 })
	f.alive("#grid")
	f.click("#tab-map")
	f.rest("the map", func(s state) bool { return s.Mode == "map" && s.Place != nil })
	f.alive("#map")
	f.click("#map")
	f.rest("a point", func(s state) bool { return s.Subject == "spot" && s.Step == s.Steps })
	f.click("#tab-restore")
	f.rest("Restore", func(s state) bool { return s.Mode == "restore" })
	f.click("#another")
	f.rest("another digit", func(s state) bool { return s.Mode == "restore" && s.Digit == want.Digit+1 && s.Step == s.Steps })
	f.alive(`[data-place="restored"]`)
	for _, line := range pageError.FindAllString(f.written(), -1) {
		t.Errorf("Firefox: %s", line)
	}
}

// alive waits until there is a picture where an element is.
func (f *firefox) alive(selector string) {
	f.t.Helper()
	f.script(fmt.Sprintf(`document.querySelector(%q).scrollIntoView({block: "center"}); return ""`, selector))
	shades := 0
	for end := time.Now().Add(patience); shades < 12; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("where %s is, Firefox shows %d colors: there is no picture", selector, shades)
		}
		shades = f.shades(selector)
	}
}

// shades returns how many colors Firefox shows where an element is.
func (f *firefox) shades(selector string) int {
	f.t.Helper()
	var b box
	text := f.script(fmt.Sprintf(`const r = document.querySelector(%q).getBoundingClientRect(); return JSON.stringify({X: r.left, Y: r.top, W: r.width, H: r.height, })`, selector))
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		f.t.Fatal(err)
	}
	var r struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(f.call("WebDriver:TakeScreenshot", map[string]any{"full": false}), &r); err != nil {
		f.t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(r.Value)
	if err != nil {
		f.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		f.t.Fatal(err)
	}
	colors := map[uint32]bool{}
	for i := range 40 {
		for k := range 40 {
			x, y := b.X+b.W*(float64(i)+0.5)/40, b.Y+b.H*(float64(k)+0.5)/40
			r, g, bl, _ := img.At(int(x), int(y)).RGBA()
			colors[r>>8<<16|g>>8<<8|bl>>8] = true
		}
	}
	return len(colors)
}
