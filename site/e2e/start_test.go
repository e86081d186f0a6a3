package e2e

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"

	"mppm/site/internal/browser"
	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
)

// marks notes when the first restored digit is seen, when the page is ready, and when its
// program has restored the digit, in milliseconds since the visit began, and how many bytes
// came over the line by the first and the last of these.
const marks = `(() => {
	window.started_ = {};
	const timer = setInterval(() => {
		const work = document.getElementById("work");
		const bytes = () => performance.getEntries().reduce((sum, r) => sum + (r.transferSize || 0), 0);
		if (work && !started_.seen && (work.dataset.first !== undefined || work.dataset.state === "ready")) {
			started_.seen = performance.now();
			started_.early = bytes();
		}
		if (!work || work.dataset.state !== "ready") return;
		started_.ready ||= performance.now();
		const s = JSON.parse(window.mppm.state());
		if (!s.ready || s.steps === 0 || s.step !== s.steps) return;
		started_.bytes = bytes();
		started_.restored = performance.now();
		clearInterval(timer);
	}, 20);
})()`

// TestStart measures how long a visitor waits for the first restored digit, the
// first time, the second and the third, over a line of 10 Mbit/s with a quarter of this
// machine's speed: as often as MPPM_START says. It counts the functions that the browser
// compiles while the program waits for them, few where it kept what it compiled; and the
// seconds of a processor that the page's thread takes, of which other work on this
// machine takes none.
func TestStart(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("MPPM_START"))
	if rounds == 0 {
		t.Skip("a measurement: MPPM_START=3 makes it three times")
	}
	for range rounds {
		start(t)
	}
}

func start(t *testing.T) {
	s := httptest.NewServer(host.Handler(dist, host.Options{}))
	defer s.Close()
	ctx, cancel, err := browser.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	p := &tab{t: t, ctx: ctx}
	p.do(desk)
	p.prefers("dark", still)
	p.before(marks)
	if _, err := chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	line := &network.Conditions{Latency: 40, DownloadThroughput: 10e6 / 8, UploadThroughput: 10e6 / 8}
	if _, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{line}}); err != nil {
		t.Fatal(err)
	}
	events := map[string]int{} // what V8 says that it does, how often
	traced := make(chan struct{})
	err = chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *tracing.EventDataCollected:
			for _, v := range ev.Value {
				var e struct {
					Name string `json:"name"`
				}
				if json.Unmarshal(v, &e) == nil {
					events[e.Name]++
				}
			}
		case *tracing.EventTracingComplete:
			traced <- struct{}{}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, visit := range []string{"first", "second", "third"} {
		clear(events)
		if _, err := chromedp.Call(ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"v8.wasm", "disabled-by-default-v8.wasm.detailed"}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
			t.Fatal(err)
		}
		p.do(chromedp.Navigate(s.URL))
		p.until("the first restored digit", `!!(window.started_ && started_.restored)`)
		m := eval[map[string]float64](p, `started_`)
		r, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range r.Metrics {
			m[metric.Name] = metric.Value
		}
		if _, err := chromedp.Call(ctx, performance.Disable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(ctx, tracing.End, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		<-traced
		t.Logf("%s visit: a restored digit is seen after %.1f s, when %.2f MB came; ready after %.1f s, restored by the program after %.1f s; %.1f s of the page's thread; %.2f MB came; %d functions compiled while they were waited for, kept ones taken: %v",
			visit, m["seen"]/1000, m["early"]/1e6, m["ready"]/1000, m["restored"]/1000, m["TaskDuration"], m["bytes"]/1e6, events["wasm.CompileLazy"], events["wasm.Deserialize"] > 0)
		p.kept(manifest(t, dist).Version)
		time.Sleep(10 * time.Second) // in which the browser keeps what it compiled
		p.do(chromedp.Navigate("about:blank"))
	}
}

// TestFetches: before the first picture the page fetches what `make site` counts until
// there, after it what is counted beside it, and neither twice.
func TestFetches(t *testing.T) {
	t.Parallel()
	var asked log
	p := open(t, server(t, "/", asked.around(host.Handler(dist, host.Options{}))))
	m := manifest(t, dist)
	p.kept(m.Version)
	when := map[string][]int{}
	for i, path := range asked.paths() {
		when[strings.TrimPrefix(path, "/")] = append(when[strings.TrimPrefix(path, "/")], i)
	}
	last := 0
	for _, f := range m.First() {
		if len(when[f.Name]) != 1 {
			t.Errorf("%s was fetched %d times", f.Name, len(when[f.Name]))
			continue
		}
		last = max(last, when[f.Name][0])
	}
	for _, f := range slices.Concat(m.Then(), m.Late()) {
		if len(when[f.Name]) != 1 || when[f.Name][0] < last {
			t.Errorf("%s was fetched at %v; want once, after what the first picture needs, at %d", f.Name, when[f.Name], last)
		}
	}
	for name := range when {
		same := func(f bundle.File) bool { return f.Name == name }
		if regexp.MustCompile(`\.(wasm|safetensors|idx)$`).MatchString(name) && !slices.ContainsFunc(slices.Concat(m.First(), m.Then()), same) && !slices.ContainsFunc(m.Late(), same) {
			t.Errorf("%s was fetched, and is not counted", name)
		}
	}
}
