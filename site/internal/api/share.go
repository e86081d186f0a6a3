package api

import (
	"html"
	"net/http"
	"strconv"
	"strings"
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
<p><a href="{page}">Open it</a></p>
</body>
</html>
`

// share is GET /s: a link to a state of the page that services can show. The
// page keeps its state behind a "#", which no server ever sees; here the same
// fields are a query.
func (a *API) share(r *request) (*response, error) {
	s, err := a.scene(r.query)
	if err != nil {
		return nil, err
	}
	fields, err := pageFields(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	base := origin(r.Request)
	title, description := s.words()
	alt := "A digit, the same digit damaged, and restored; below, the steps between"
	switch {
	case s.curve != "":
		alt = "A curve, a point beside it, and the ways that three methods take it to the curve"
	case s.grown:
		alt = "A grid of digits grown from noise"
	}
	page := strings.NewReplacer(
		"{title}", html.EscapeString(title),
		"{description}", html.EscapeString(description),
		"{alt}", alt,
		"{address}", html.EscapeString(base+address(sharePath, fields...)),
		"{picture}", html.EscapeString(base+address("/api/preview.png", append(fields, "v="+a.fingerprint)...)),
		"{page}", html.EscapeString("./#"+strings.Join(fields, "&")),
		"{width}", strconv.Itoa(previewWidth),
		"{height}", strconv.Itoa(previewHeight),
	).Replace(sharePage)
	return &response{contentType: "text/html; charset=utf-8", body: []byte(page), cache: anHour, policy: sharePolicy}, nil
}

func address(path string, fields ...string) string {
	if len(fields) == 0 {
		return path
	}
	return path + "?" + strings.Join(fields, "&")
}

// pageFields returns the fields of a link, as they are written, without what
// services add to links to follow them. It returns a problem if one is not as
// the page writes them: names and values of letters, digits, ".", "-" and "_".
func pageFields(raw string) ([]string, error) {
	var fields []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if follows(name) {
			continue
		}
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(value, safe) != "" {
			return nil, problemf(http.StatusBadRequest, "%s is not a field of a link to the page", clip(part))
		}
		fields = append(fields, part)
	}
	return fields, nil
}

// follows reports whether a parameter is one that services add to links:
// utm_source, fbclid, igshid and their like.
func follows(name string) bool {
	return strings.ContainsAny(name, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") || strings.HasSuffix(name, "clid") || strings.HasSuffix(name, "clkid") || strings.HasSuffix(name, "shid")
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
