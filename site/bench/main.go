// Command bench has a browser time the page's inference beside other runtimes, on the
// bench page of a built site, and prints the table.
//
//	go run ./site/bench [-dist site/dist] [-rounds 7] [-ms 200] [-fastest]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/browser"
	"mppm/site/internal/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is the median time of one work, in milliseconds, in each runtime.
type row struct {
	Name       string  `json:"name"`
	N          int     `json:"n"` // digits at a time
	Ours       float64 `json:"ours"`
	ONNX       float64 `json:"onnx"`
	TensorFlow float64 `json:"tensorflow"`
}

// result is what the page leaves on window.benchResult.
type result struct {
	Rows  []row  `json:"rows"`
	Notes string `json:"notes"`
	Error string `json:"error"`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dist := flags.String("dist", filepath.Join("site", "dist"), "the built site")
	rounds := flags.Int("rounds", 7, "how many rounds the medians are of")
	least := flags.Int("ms", 200, "for how many milliseconds each is timed in a round, of which the fastest time counts")
	fastest := flags.Bool("fastest", false, "give the fastest of all rounds, not medians: for a machine that has other work")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 || *least < 1 {
		return errors.New("give -rounds and -ms of 1 or more, and nothing but flags")
	}
	if _, err := os.Stat(filepath.Join(*dist, "bench", "index.html")); err != nil {
		return fmt.Errorf("%s has no bench page: `make bench-page` builds it", *dist)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: host.Handler(*dist, host.Options{})}
	go func() { _ = server.Serve(l) }() // until it is closed
	defer server.Close()
	url := fmt.Sprintf("http://%s/bench/?start&rounds=%d&ms=%d", l.Addr(), *rounds, *least)
	if *fastest {
		url += "&fastest"
	}
	tab, cancel, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	r, err := measured(tab, url, stderr)
	if err != nil {
		return err
	}
	return write(stdout, r)
}

// measured waits for the page to come to its end, and says where it is.
func measured(tab context.Context, url string, progress io.Writer) (r result, err error) {
	if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
		return r, err
	}
	for said := ""; ; time.Sleep(time.Second) {
		now, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.getElementById("status").textContent`))
		if err != nil {
			return r, err
		}
		if now != said {
			fmt.Fprintln(progress, now)
			said = now
		}
		done, err := chromedp.Run(tab, chromedp.Evaluate[bool](`!!window.benchResult`))
		if err != nil {
			return r, err
		}
		if !done {
			continue
		}
		r, err = chromedp.Run(tab, chromedp.Evaluate[result](`window.benchResult`))
		if err == nil && r.Error != "" {
			err = errors.New("the page says: " + r.Error)
		}
		return r, err
	}
}

// write writes the table as Markdown. A ratio is how many times as long as ours another
// takes.
func write(w io.Writer, r result) error {
	if _, err := fmt.Fprint(w, "| work, one thread | ours | ONNX Runtime Web | TensorFlow.js | ONNX Runtime Web ÷ ours | best other ÷ ours |\n| --- | --- | --- | --- | --- | --- |\n"); err != nil {
		return err
	}
	ms := func(v float64) string {
		if v < 10 {
			return fmt.Sprintf("%.2f ms", v)
		}
		return fmt.Sprintf("%.1f ms", v)
	}
	for _, r := range r.Rows {
		if _, err := fmt.Fprintf(w, "| %s, %d | %s | %s | %s | %.2f | %.2f |\n", r.Name, r.N, ms(r.Ours), ms(r.ONNX), ms(r.TensorFlow), r.ONNX/r.Ours, min(r.ONNX, r.TensorFlow)/r.Ours); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Notes)
	return err
}
