package api

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"mppm/shared/link"
)

// sharePolicy lets the page of a link show its picture, and nothing else.
const sharePolicy = "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// sharePage is what a link that is passed around leads to: programs read its
// head, people are led on to the page.
const sharePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>{title}</title>
<meta name="description" content="{description}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="mppm">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:url" content="{address}">
<meta property="og:image" content="{picture}">
<meta property="og:image:type" content="image/png">
<meta property="og:image:width" content="{width}">
<meta property="og:image:height" content="{height}">
<meta property="og:image:alt" content="{alt}">
<meta name="twitter:card" content="summary_large_image">
<meta name="twitter:title" content="{title}">
<meta name="twitter:description" content="{description}">
<meta name="twitter:image" content="{picture}">
<meta name="twitter:image:alt" content="{alt}">
<meta http-equiv="refresh" content="0; url={page}">
</head>
<body>
<h1>{title}</h1>
<p>{description}</p>
{left}<p><a href="{page}">Open it</a></p>
</body>
</html>
`

// share is GET /s: a link to a state of the page that services can show. The
// page keeps its state behind a "#", which no server ever sees; here the same
// fields are a query, and are read alike. What cannot be shown is named; the page
// gets it all, and names it too.
func (a *API) share(r *request) (*response, error) {
	l, faults := a.page.Read(r.URL.RawQuery)
	base := origin(r.Request)
	title, description := a.words(&l)
	alt := "A digit, the same digit damaged, and restored; below, the steps between"
	switch {
	case l.Subject() == link.Descent:
		alt = "A curve, a point beside it, and the ways that three methods take it to the curve"
	case grows(&l):
		alt = "A grid of digits grown from noise"
	}
	fields := a.page.Write(l)
	var left strings.Builder
	page := fields
	for _, f := range faults {
		fmt.Fprintf(&left, "<p>%s</p>\n", html.EscapeString(f.Error()))
		page = fragment(r.URL.RawQuery)
	}
	body := strings.NewReplacer(
		"{title}", html.EscapeString(title),
		"{description}", html.EscapeString(description),
		"{alt}", alt,
		"{address}", html.EscapeString(base+address(sharePath, fields)),
		"{picture}", html.EscapeString(base+address("/api/preview.png", strings.TrimPrefix(fields+"&v="+a.fingerprint, "&"))),
		"{page}", html.EscapeString("./#"+page),
		"{left}", left.String(),
		"{width}", strconv.Itoa(previewWidth),
		"{height}", strconv.Itoa(previewHeight),
	).Replace(sharePage)
	return &response{contentType: "text/html; charset=utf-8", body: []byte(body), cache: anHour, policy: sharePolicy}, nil
}

func address(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// fragment returns a query as the fragment of an address.
func fragment(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>`'\\^{|}", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// origin returns the scheme and host that a request came to.
func origin(r *http.Request) string {
	scheme, host := r.URL.Scheme, r.URL.Host
	if host == "" {
		host = r.Host
	}
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + host
}
